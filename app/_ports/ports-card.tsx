import { Clock } from 'lucide-react'
import { getTranslations } from 'next-intl/server'
import type { Port } from '@/platform/model/ports.ts'
import { web } from '@/platform/model/processes.ts'
import { listPorts } from '@/platform/ports/ports.ts'
import { enter } from '../_shell/load.ts'
import { Badge } from '../_ui/badge.tsx'
import { Card, CardHeader } from '../_ui/card.tsx'
import { CopyButton } from '../_ui/copy-button.client.tsx'
import { PortButton } from './port-button.client.tsx'
import { RemovePortButton } from './remove-port-button.client.tsx'

interface PortsCardProps {
  appId: string
  /** Of the app, `web` left out. */
  processes: string[]
  canChange: boolean
}

/** Ports of the host that lead to an app, for what does not speak HTTP. */
export async function PortsCard({ appId, processes, canChange }: PortsCardProps) {
  const { platform, viewer } = await enter()
  const [t, { data: ports, range }] = await Promise.all([
    getTranslations('ports'),
    listPorts(platform, viewer, appId),
  ])
  const names = [web, ...processes]
  return (
    <Card aria-labelledby="ports">
      <CardHeader
        titleId="ports"
        title={t('title')}
        description={range === null ? t('noRange') : t('description')}
        actions={canChange && range !== null && <PortButton appId={appId} processes={names} range={range} />}
      />
      {ports.length === 0 ? (
        <div className="pb-5" />
      ) : (
        <ul aria-labelledby="ports" className="mt-4 divide-y border-t">
          {ports.map((port) => (
            <li key={port.name} className="space-y-1 px-5 py-4">
              <div className="flex flex-wrap items-center gap-x-3 gap-y-2">
                <span className="flex min-w-0 items-center gap-1">
                  <code className="break-all font-medium">{port.address}</code>
                  <CopyButton text={port.address} label={t('copyAddress', { address: port.address })} />
                </span>
                <Badge>{port.protocol.toUpperCase()}</Badge>
                <State port={port} />
                {canChange && port.state !== 'going' && (
                  <span className="ml-auto flex gap-2">
                    {range !== null && (
                      <PortButton appId={appId} processes={names} range={range} port={port} />
                    )}
                    <RemovePortButton appId={appId} port={port} />
                  </span>
                )}
              </div>
              <p className="text-muted">
                {t('leadsTo', { port: port.containerPort, process: port.process })}{' '}
                {port.sources.length === 0
                  ? t('fromAnywhere')
                  : t('fromSources', { sources: port.sources.join(', ') })}
              </p>
              {port.problem !== null && (
                <p className="text-danger">{t('leadsNowhere', { reason: port.problem })}</p>
              )}
            </li>
          ))}
        </ul>
      )}
    </Card>
  )
}

async function State({ port: { state } }: { port: Port }) {
  const t = await getTranslations('ports')
  if (state === 'live') return null
  return (
    <Badge tone="warning" title={t(`state.${state}Title`)}>
      <Clock aria-hidden />
      {t(`state.${state}`)}
    </Badge>
  )
}
