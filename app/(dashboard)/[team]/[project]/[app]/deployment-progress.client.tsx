'use client'

import Link from 'next/link'
import { useTranslations } from 'next-intl'
import { type ReactNode, useEffect, useReducer } from 'react'
import { isInProgress } from '@/platform/model/deployment-status.ts'
import type { DeploymentEvent } from '@/platform/model/events.ts'
import type { Deployment } from '@/platform/model/resources.ts'
import { Card } from '../../../../_ui/card.tsx'
import { ConnectionNote } from '../../../../_ui/connection-note.tsx'
import { Duration } from '../../../../_ui/duration.client.tsx'
import { DeploymentStatusBadge } from '../../../../_ui/status-badge.tsx'
import { useEventStream } from '../../../../_ui/use-event-stream.ts'
import { afterEvent, afterReading, type DeploymentState, stateOf } from './deployment-state.ts'
import { DeploymentSteps } from './deployment-steps.tsx'
import { FailureCard } from './failure-card.client.tsx'
import { LayerList } from './layer-list.tsx'
import { useStalledLayers } from './use-stalled-layers.ts'

interface DeploymentProgressProps {
  deployment: Deployment
  /** Its own page, where this is not it. */
  href?: string
  actions?: ReactNode
}

type Change = { event: DeploymentEvent } | { read: Deployment }

function reduce(state: DeploymentState, change: Change): DeploymentState {
  return 'event' in change ? afterEvent(state, change.event) : afterReading(state, change.read)
}

/** A deployment as it happens: each step with its time, bytes by layer, and at the end what went wrong, if it did. */
export function DeploymentProgress({ deployment, href, actions }: DeploymentProgressProps) {
  const t = useTranslations('progress')
  const tBuild = useTranslations('build')
  const tStatus = useTranslations('deploymentStatus')
  const [state, dispatch] = useReducer(reduce, deployment, stateOf)
  useEffect(() => dispatch({ read: deployment }), [deployment])

  const running = isInProgress(state.status)
  const connection = useEventStream(running ? `/api/v1/deployments/${deployment.id}/events` : null, (data) =>
    dispatch({ event: JSON.parse(data) as DeploymentEvent }),
  )
  const title = t('title', { number: deployment.number })
  const end = deployment.liveAt ?? deployment.finishedAt
  const stalled = useStalledLayers(state.layers)
  const pulling = state.status === 'pulling' && state.layers.length > 0

  return (
    <Card aria-label={title}>
      <header className="flex flex-wrap items-center gap-x-3 gap-y-2 px-5 pt-4">
        <h2 className="font-semibold text-[15px]">
          {href === undefined ? (
            title
          ) : (
            <Link href={href} className="rounded hover:text-accent-text">
              {title}
            </Link>
          )}
        </h2>
        <DeploymentStatusBadge status={state.status} />
        <span className="sr-only" role="status">
          {t('announce', { number: deployment.number, status: tStatus(state.status) })}
        </span>
        <span className="text-muted">
          {deployment.startedAt !== null && (running || end !== null) && (
            <Duration from={deployment.startedAt} to={running ? null : end} />
          )}
        </span>
        {running && <ConnectionNote connection={connection} />}
        <div className="ml-auto flex items-center gap-2">{actions}</div>
      </header>
      {state.message !== null && running && <p className="px-5 pt-1 text-muted">{state.message}</p>}
      {state.waiting !== null && running && (
        <p className="px-5 pt-1 text-muted">
          {tBuild(`waiting.${state.waiting.reason}`, { before: state.waiting.before })}
        </p>
      )}
      <DeploymentSteps steps={state.steps} status={state.status} isBuilt={deployment.build !== null} />
      {pulling && <LayerList layers={state.layers} stalled={stalled} />}
      {state.failure !== null && <FailureCard failure={state.failure} />}
    </Card>
  )
}
