import type { BuildWait } from '@/platform/model/builds.ts'
import { canBecome, type DeploymentStatus } from '@/platform/model/deployment-status.ts'
import { type DeploymentStep, stepNames } from '@/platform/model/deployment-step.ts'
import type { DeploymentEvent, LayerProgress } from '@/platform/model/events.ts'
import type { Failure } from '@/platform/model/failure.ts'
import type { Deployment } from '@/platform/model/resources.ts'

/** What is known of a deployment while one watches it. */
export interface DeploymentState {
  status: DeploymentStatus
  failure: Failure | null
  steps: DeploymentStep[]
  layers: LayerProgress[]
  message: string | null
  /** Its build waits for its turn. */
  waiting: BuildWait | null
}

export function stateOf(deployment: Deployment): DeploymentState {
  const { status, failure, steps, build } = deployment
  return { status, failure, steps, layers: [], message: null, waiting: build?.waiting ?? null }
}

/** Takes in one event. A stream that resumes may tell old things again: nothing ever goes backwards. */
export function afterEvent(state: DeploymentState, event: DeploymentEvent): DeploymentState {
  switch (event.type) {
    case 'status':
      return withStatus(state, event.status, event.failure)
    case 'step':
      return { ...state, steps: withStep(state.steps, event.step) }
    case 'layers':
      return { ...state, layers: event.layers }
    case 'waiting':
      return { ...state, waiting: event.waiting }
    case 'message':
      return { ...state, message: event.text }
  }
}

/** Takes in what the server read since. */
export function afterReading(state: DeploymentState, deployment: Deployment): DeploymentState {
  const next = withStatus(state, deployment.status, deployment.failure)
  return { ...next, steps: deployment.steps.reduce(withStep, next.steps) }
}

function withStatus(
  state: DeploymentState,
  status: DeploymentStatus,
  failure: Failure | null,
): DeploymentState {
  return canBecome(state.status, status) ? { ...state, status, failure: failure ?? state.failure } : state
}

function withStep(steps: DeploymentStep[], step: DeploymentStep): DeploymentStep[] {
  const known = steps.find(({ name }) => name === step.name)
  if (known !== undefined && isOlder(step, known)) return steps
  const others = steps.filter(({ name }) => name !== step.name)
  return [...others, step].sort((a, b) => stepNames.indexOf(a.name) - stepNames.indexOf(b.name))
}

/** A step may run a second time, after its worker was killed: then it started later. */
function isOlder(step: DeploymentStep, known: DeploymentStep): boolean {
  const [began, knownBegan] = [Date.parse(step.startedAt), Date.parse(known.startedAt)]
  return began < knownBegan || (began === knownBegan && step.finishedAt === null && known.finishedAt !== null)
}
