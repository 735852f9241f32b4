import { Ban, Circle, CircleCheck, CircleX, LoaderCircle } from 'lucide-react'
import { useTranslations } from 'next-intl'
import { type DeploymentStatus, isInProgress } from '@/platform/model/deployment-status.ts'
import { type DeploymentStep, stepNames } from '@/platform/model/deployment-step.ts'
import { cn } from '../../../../_ui/cn.ts'
import { Duration } from '../../../../_ui/duration.client.tsx'
import { useStepDetail } from './step-detail.ts'

const icons = {
  running: { icon: LoaderCircle, classes: 'animate-spin text-accent-text' },
  done: { icon: CircleCheck, classes: 'text-success' },
  failed: { icon: CircleX, classes: 'text-danger' },
  canceled: { icon: Ban, classes: 'text-muted' },
  waiting: { icon: Circle, classes: 'text-border-strong' },
}

interface DeploymentStepsProps {
  steps: DeploymentStep[]
  status: DeploymentStatus
  /** Whether its image is made first. */
  isBuilt?: boolean
}

/** Those that ran, and, as long as it goes on, those that are to come. */
export function DeploymentSteps({ steps, status, isBuilt = false }: DeploymentStepsProps) {
  const t = useTranslations('step')
  const detailOf = useStepDetail()
  const shown = stepNames.flatMap((name) => {
    const step = steps.find((known) => known.name === name)
    // Few have something to run before they start; it is shown when it does.
    const isToCome = isInProgress(status) && name !== 'release' && (name !== 'build' || isBuilt)
    return step !== undefined || isToCome ? [{ name, step }] : []
  })
  // Why the deployment failed is said below the steps; one that goes on tries the step again.
  const failedAgain = isInProgress(status) ? t('again') : null
  if (shown.length === 0) return <div className="h-4" />
  return (
    <ol aria-label={t('label')} className="px-5 pt-3 pb-4">
      {shown.map(({ name, step }) => {
        const state = stateOf(step, status)
        const detail = step === undefined ? null : state === 'failed' ? failedAgain : detailOf(step)
        const { icon: Icon, classes } = icons[state]
        return (
          <li key={name} className="flex items-start gap-3 py-1.5">
            <Icon aria-hidden className={cn('mt-0.5 size-4 shrink-0', classes)} />
            <div className="min-w-0 flex-1">
              <span className={step === undefined ? 'text-muted' : 'font-medium'}>{t(`name.${name}`)}</span>
              <span className="sr-only"> ({t(`status.${state}`)})</span>
              {detail !== null && <p className="break-words text-muted text-[13px]">{detail}</p>}
            </div>
            {step !== undefined && (step.finishedAt !== null || state === 'running') && (
              <span className="text-muted text-[13px]">
                <Duration from={step.startedAt} to={step.finishedAt} />
              </span>
            )}
          </li>
        )
      })}
    </ol>
  )
}

/** Nothing runs any more in a deployment that is over, even if its worker was killed before it could say so. */
function stateOf(step: DeploymentStep | undefined, status: DeploymentStatus): keyof typeof icons {
  if (step === undefined) return 'waiting'
  if (step.status !== 'running' || isInProgress(status)) return step.status
  return status === 'failed' || status === 'canceled' ? 'canceled' : 'done'
}
