import { getTranslations } from 'next-intl/server'
import { listPorts } from '@/platform/ports/ports.ts'
import { enter } from '../_shell/load.ts'
import { CopyButton } from '../_ui/copy-button.client.tsx'

/** Where clients connect to now, beside HTTP. */
export async function PortAddresses({ appId }: { appId: string }) {
  const { platform, viewer } = await enter()
  const [t, { data }] = await Promise.all([getTranslations('ports'), listPorts(platform, viewer, appId)])
  const live = data.filter(({ state }) => state !== 'waiting')
  if (live.length === 0) return null
  return (
    <ul aria-label={t('connect')} className="flex flex-wrap items-center gap-x-4">
      {live.map(({ name, address, protocol }) => (
        <li key={name} className="flex min-w-0 items-center gap-1">
          <code className="break-all">{address}</code>
          <span className="text-muted text-xs">{protocol.toUpperCase()}</span>
          <CopyButton text={address} label={t('copyAddress', { address })} />
        </li>
      ))}
    </ul>
  )
}
