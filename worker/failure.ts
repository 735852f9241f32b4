import { constants } from 'node:os'
import { type Container, type EngineError, isEngineError } from '../engine/index.ts'
import type { Facts } from '../platform/model/facts.ts'
import type { Failure, FailureCode } from '../platform/model/failure.ts'

/** Ends a deployment: why, in words for a person who should do something about it. */
export class DeployFailure extends Error {
  override readonly name = 'DeployFailure'
  readonly code: FailureCode
  /** Whose last lines of log belong to it. */
  readonly containerId: string | null
  readonly end: Pick<Failure, 'exitCode' | 'signal' | 'oomKilled'>
  /** What the message is made from: those of failureFacts[code] at least. */
  readonly facts: Facts

  constructor(
    code: FailureCode,
    message: string,
    options: {
      cause?: unknown
      containerId?: string
      end?: Partial<DeployFailure['end']>
      facts?: Facts
    } = {},
  ) {
    super(asSentence(message), { cause: options.cause })
    this.code = code
    this.facts = options.facts ?? {}
    this.containerId = options.containerId ?? null
    this.end = { exitCode: null, signal: null, oomKilled: false, ...options.end }
  }
}

/** The worker stops: what is under way stays as it is, for the next worker to take up. */
export class WorkerStopping extends Error {
  override readonly name = 'WorkerStopping'
}

/** Somebody called the deployment off, or its app is gone. */
export class CalledOff extends Error {
  override readonly name = 'CalledOff'
}

/** Nobody foresaw it. */
export function internalFailure(error: unknown): DeployFailure {
  const reason = messageOf(error)
  return new DeployFailure('internal', reason, { cause: error, facts: { reason } })
}

/** What a failed pull means for whoever deployed it. */
export function pullFailure(reference: string, error: unknown): DeployFailure {
  if (!isEngineError(error)) return internalFailure(error)
  const [code, sentence] = pullWords(reference, error)
  return new DeployFailure(code, sentence, {
    cause: error,
    facts: { image: reference, reason: error.message },
  })
}

function pullWords(reference: string, error: EngineError): [FailureCode, string] {
  switch (error.kind) {
    case 'not-found':
      return [
        'image-not-found',
        `There is no image ${reference}. Check its name and tag, and that it was pushed.`,
      ]
    case 'access-denied':
      return [
        'image-access-denied',
        `The registry does not let Berth pull ${reference}. It is private or does not exist: ${error.message}`,
      ]
    case 'rate-limited':
      return ['registry-unavailable', `The registry of ${reference} limits its pulls: ${error.message}`]
    case 'unavailable':
      return ['registry-unavailable', `The registry of ${reference} does not answer: ${error.message}`]
    case 'disk-full':
      return ['disk-full', diskFullSentence(error)]
    case 'corrupt':
    case 'invalid':
    case 'limit-exceeded':
    case 'unsupported':
      return ['image-invalid', `The image ${reference} can't be used: ${error.message}`]
    case 'already-exists':
    case 'failed-precondition':
    case 'canceled':
    case 'internal':
      return ['internal', `Pulling ${reference} failed: ${error.message}`]
  }
}

/** What it means that a container could not be made or started. */
export function startFailure(containerId: string, error: EngineError): DeployFailure {
  const [code, sentence]: [FailureCode, string] =
    error.kind === 'disk-full'
      ? ['disk-full', diskFullSentence(error)]
      : ['start-failed', `The container could not be started: ${error.message}`]
  return new DeployFailure(code, sentence, { cause: error, containerId, facts: { reason: error.message } })
}

function diskFullSentence(error: EngineError): string {
  return `The host's disk is full: ${error.message}. Remove what is not needed there, or give it a larger one, and deploy again.`
}

/** A container's process ended where it should have gone on running. */
export function exitFailure(container: Container, when: string): DeployFailure {
  const { end, how, facts } = endOf(container)
  if (end.oomKilled) {
    return new DeployFailure(
      'out-of-memory',
      `The app used more memory than its limit and was killed ${when}. Raise the limit, or make it need less.`,
      { containerId: container.id, end },
    )
  }
  return new DeployFailure('exited', `The app ${how} ${when}. Its last lines of log may say why.`, {
    containerId: container.id,
    end,
    facts,
  })
}

/** How a container's process ended: for the record, in words that follow its name, and as what they are made from. */
export function endOf(container: Container): { end: DeployFailure['end']; how: string; facts: Facts } {
  const { exitCode, oomKilled } = container
  const signal = exitCode !== null && exitCode > 128 ? signalName(exitCode - 128) : null
  const end = { exitCode, signal, oomKilled }
  if (signal !== null) return { end, how: `was ended by ${signal}`, facts: { how: 'signal', signal } }
  if (exitCode === null)
    return { end, how: 'ended, and its exit code is not known,', facts: { how: 'unknown' } }
  return { end, how: `exited with code ${exitCode}`, facts: { how: 'code', exitCode } }
}

function signalName(number: number): string | null {
  return Object.entries(constants.signals).find(([, value]) => value === number)?.[0] ?? null
}

function asSentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
