import { useTranslations } from 'next-intl'
import { web } from '@/platform/model/processes.ts'
import type { Container } from '@/platform/model/resources.ts'
import { Badge, type Tone } from '../../../../_ui/badge.tsx'
import { Card, CardHeader } from '../../../../_ui/card.tsx'
import { RelativeTime } from '../../../../_ui/relative-time.client.tsx'

const tones: Record<Container['state'], Tone> = {
  created: 'accent',
  running: 'success',
  exited: 'danger',
  removed: 'neutral',
}

/** What runs for the live deployment, or, before there is one, for the one that is on its way. */
export function Containers(props: { containers: Container[]; liveDeploymentId: string | null }) {
  const t = useTranslations('containers')
  const live = props.containers.filter(({ deploymentId }) => deploymentId === props.liveDeploymentId)
  const shown = live.length > 0 ? live : props.containers
  if (shown.length === 0) return null
  return (
    <Card aria-labelledby="containers">
      <CardHeader titleId="containers" title={t('title')} />
      <ul className="mt-3 divide-y border-t">
        {shown.map((container) => (
          <li key={container.id} className="flex flex-wrap items-center gap-x-4 gap-y-1.5 px-5 py-3">
            <span className="min-w-24 font-medium">
              {container.process !== web && `${container.process} · `}
              {t('replica', { number: container.replica + 1 })}
            </span>
            <Badge tone={tones[container.state]}>{t(`state.${container.state}`)}</Badge>
            <code className="min-w-0 flex-1 truncate font-mono text-muted text-xs">{container.id}</code>
            <span className="text-muted text-xs">
              {container.oomKilled && `${t('outOfMemory')} · `}
              {container.exitCode !== null && `${t('exitCode', { code: container.exitCode })} · `}
              {container.restarts > 0 && `${t('restarts', { count: container.restarts })} · `}
              {container.startedAt !== null && (
                <>
                  {t('started')} <RelativeTime at={container.startedAt} />
                </>
              )}
            </span>
          </li>
        ))}
      </ul>
    </Card>
  )
}
