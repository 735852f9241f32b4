import { getTranslations } from 'next-intl/server'
import type { GitSource } from '@/platform/model/git-source.ts'
import { Card, CardHeader } from '../../../../../_ui/card.tsx'
import { CopyButton } from '../../../../../_ui/copy-button.client.tsx'
import { RenewKeyButton } from './renew-key-button.client.tsx'

/** The key that the forge must know, and those by which the forge is known. */
export async function KeysCard({
  appId,
  source: { deployKey, hostKeys },
  canEdit,
}: {
  appId: string
  source: GitSource
  canEdit: boolean
}) {
  const t = await getTranslations('git')
  if (deployKey === null) return null
  return (
    <Card aria-labelledby="deploy-key">
      <CardHeader
        titleId="deploy-key"
        title={t('deployKey')}
        description={t('deployKeyDescription')}
        actions={canEdit && <RenewKeyButton appId={appId} />}
      />
      <div className="space-y-5 p-5">
        <div className="flex items-start gap-2">
          <code className="min-w-0 flex-1 break-all rounded-lg bg-sunken p-3 font-mono text-[13px]">
            {deployKey.key}
          </code>
          <CopyButton text={deployKey.key} label={t('copyKey')} />
        </div>
        <div>
          <h3 className="font-medium">{t('knownBy')}</h3>
          {hostKeys.length === 0 ? (
            <p className="text-[13px] text-muted">{t('knownByNone')}</p>
          ) : (
            <ul className="mt-1 space-y-1">
              {hostKeys.map(({ key, fingerprint }) => (
                <li key={fingerprint} className="break-all font-mono text-[13px]">
                  {key.split(' ')[0]} {fingerprint}
                </li>
              ))}
            </ul>
          )}
        </div>
      </div>
    </Card>
  )
}
