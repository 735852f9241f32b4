import { useTranslations } from 'next-intl'
import { Card, CardHeader } from '../../../../_ui/card.tsx'
import { CommandLines } from '../../../../_ui/command-lines.tsx'

/** How the usual clients get at the repository. */
export function CommandsCard({ reference, canPush }: { reference: string; canPush: boolean }) {
  const t = useTranslations('repositories')
  const host = reference.split('/')[0] ?? ''
  return (
    <Card aria-labelledby="commands">
      <CardHeader titleId="commands" title={t('commands')} description={t('commandsDescription')} />
      <div className="space-y-3 p-5">
        {['docker', 'podman'].map((tool) => (
          <CommandLines
            key={tool}
            label={tool}
            lines={[
              `${tool} login ${host}`,
              `${tool} pull ${reference}:TAG`,
              ...(canPush ? [`${tool} push ${reference}:TAG`] : []),
            ]}
          />
        ))}
        <CommandLines
          label="skopeo"
          lines={[
            `skopeo login ${host}`,
            `skopeo inspect docker://${reference}:TAG`,
            ...(canPush ? [`skopeo copy docker-archive:image.tar docker://${reference}:TAG`] : []),
          ]}
        />
      </div>
    </Card>
  )
}
