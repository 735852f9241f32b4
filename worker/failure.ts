import { constants } from 'node:os'
import { type Container, type EngineError, isEngineError } from '../engine/index.ts'
import type { Facts } from '../platform/model/facts.ts'
import type { Failure, FailureCode } from '../platform/model/failure.ts'
import { readImageName } from '../platform/model/image-name.ts'
import { processOf, web } from '../platform/model/processes.ts'
import type { DeploymentWork } from '../platform/worker/deployments.ts'
import { slotOf } from './container-spec.ts'
import { isOtherPlatform, missingCommand, missingProgram, missingVariable } from './last-words.ts'

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

/** What a failed pull means for whoever deployed it. `login`: what the team signs in to that registry with. */
export function pullFailure(
  reference: string,
  error: unknown,
  login: { host: string; username: string } | null = null,
): DeployFailure {
  if (!isEngineError(error)) return internalFailure(error)
  if (error.kind === 'access-denied' && login !== null) return loginFailure(reference, error, login)
  if (error.kind === 'rate-limited') return limitFailure(reference, error, login)
  const [code, sentence] = pullWords(reference, error)
  return new DeployFailure(code, sentence, {
    cause: error,
    facts: { image: reference, reason: error.message },
  })
}

function loginFailure(
  image: string,
  error: EngineError,
  { host, username }: { host: string; username: string },
): DeployFailure {
  return new DeployFailure(
    'registry-denied',
    `${host} refuses the team's login ${username} for ${image}: ${error.message}. Its password may have changed or expired, or it may not read this image, or there is none of that name. Try the login in the team's settings, under Registries`,
    { cause: error, facts: { image, host, username, reason: error.message } },
  )
}

function limitFailure(
  image: string,
  error: EngineError,
  login: { host: string; username: string } | null,
): DeployFailure {
  const host = login?.host ?? readImageName(image).registry
  const seconds = Math.ceil((error.retryAfterMs ?? 0) / 1_000)
  const wait = seconds > 0 ? `Deploy again in ${Math.ceil(seconds / 60)} minutes` : 'Deploy again later'
  const advice =
    login === null
      ? `${wait}, or keep a login for ${host} in the team's settings, under Registries: who signs in is allowed more`
      : `The team signs in as ${login.username}. ${wait}, or use an account that is allowed more`
  return new DeployFailure(
    'registry-limited',
    `${host} limits how often images are pulled from it, and Berth has reached that: ${error.message}. ${advice}`,
    {
      cause: error,
      facts: { image, host, seconds, login: login?.username ?? '', reason: error.message },
    },
  )
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
        `The registry does not let Berth pull ${reference}. It is private or does not exist: ${error.message}. If it is private and elsewhere, keep a login for its registry in the team's settings`,
      ]
    case 'rate-limited':
    case 'unavailable':
      return ['registry-unavailable', `The registry of ${reference} does not answer: ${error.message}`]
    case 'disk-full':
      return ['disk-full', diskFullSentence(error)]
    case 'wrong-platform':
      return [
        'wrong-platform',
        `The image ${reference} is not made for this host: ${error.message}. Build it for this host's platform too (docker buildx build --platform …), and push it again.`,
      ]
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

/** What it means that a container could not be made or started. `more`: what else is known of it. */
export function startFailure(containerId: string, error: EngineError, more: Facts = {}): DeployFailure {
  const reason = error.message
  const options = { cause: error, containerId, facts: { ...more, reason } }
  if (error.kind === 'disk-full') return new DeployFailure('disk-full', diskFullSentence(error), options)
  if (isOtherPlatform([reason])) return new DeployFailure('wrong-platform', otherPlatformSentence, options)
  const command =
    /executable file [`'"]?([^`'"]+?)[`'"]? not found|exec: "([^"]+)": (?:executable|stat)/.exec(reason)
  if (command !== null) return commandFailure(command[1] ?? command[2] ?? null, options)
  return new DeployFailure('start-failed', `The container could not be started: ${reason}`, options)
}

const otherPlatformSentence =
  "The image's program is made for another processor than this host has. Build the image for this host's platform (docker buildx build --platform …), and push it again."

function commandFailure(
  command: string | null,
  options: ConstructorParameters<typeof DeployFailure>[2],
): DeployFailure {
  const what = command === null ? 'A command that it runs' : `The command ${command}`
  return new DeployFailure(
    'command-not-found',
    `${what} was not found in the image. Check the app's command and the image's entrypoint. If it is there: a script may name an interpreter in its first line that is not, or end its lines as Windows does; a program may need a loader of another C library.`,
    { ...options, facts: { ...options?.facts, command: command ?? 'unknown' } },
  )
}

/**
 * The same failure with what the container's last lines say about it, where they do: of a process that ended by itself
 * they may name the variable or the command that it lacks. A guess is said as one.
 */
export function withLastWords(
  failure: DeployFailure,
  lines: readonly string[],
  variables: Readonly<Record<string, string>>,
): DeployFailure {
  const { code, end, containerId, facts, cause } = failure
  const options = { cause, containerId: containerId ?? undefined, end, facts }
  const asked = missingVariable(lines, (name) => (variables[name] ?? '') !== '')
  if (code === 'release-failed' && facts.how === 'code' && asked !== null) {
    const sentence = `${failure.message} It seems to need the variable ${asked.variable}, which the app does not have.`
    return new DeployFailure(code, sentence, { ...options, facts: { ...facts, ...asked } })
  }
  if (code !== 'exited') return failure
  if (isOtherPlatform(lines)) {
    const line = lines.find((each) => isOtherPlatform([each])) ?? ''
    const seen = { ...facts, reason: line }
    return new DeployFailure('wrong-platform', otherPlatformSentence, { ...options, facts: seen })
  }
  if (asked !== null) {
    const how = facts.how === 'code' ? `exited with code ${facts.exitCode}` : 'ended'
    return new DeployFailure(
      'missing-variable',
      // The line itself stays with the log: this sentence is sent to others too.
      `The app ${how}. By its last lines it seems to need the variable ${asked.variable}, which it does not have. Set it, and deploy again.`,
      { ...options, facts: { ...facts, ...asked } },
    )
  }
  const program = missingProgram(lines)
  if (program !== null || end.exitCode === notFoundCode)
    return commandFailure(program ?? missingCommand(lines), options)
  return failure
}

/** What shells exit with when they don't find a command. Source: POSIX, Shell Command Language, 2.8.2. */
const notFoundCode = 127

function diskFullSentence(error: EngineError): string {
  return `The host's disk is full: ${error.message}. Remove what is not needed there, or give it a larger one, and deploy again.`
}

/** A container's process ended where it should have gone on running. */
export function exitFailure(container: Container, when: string, work: DeploymentWork): DeployFailure {
  const { end, how, facts } = endOf(container)
  if (end.oomKilled) {
    return new DeployFailure(
      'out-of-memory',
      `The app ${memoryWords(container, work)} and was killed ${when}. Raise the limit, or make it need less.`,
      {
        containerId: container.id,
        end,
        facts: { ...memoryFacts(container, work), ...processFact(container) },
      },
    )
  }
  return new DeployFailure('exited', `The app ${how} ${when}. Its last lines of log may say why.`, {
    containerId: container.id,
    end,
    facts: { ...facts, ...processFact(container) },
  })
}

/** Which process it is about, where that is not `web`. */
export function processFact(container: Pick<Container, 'labels'>): Facts {
  const { process } = slotOf(container)
  return process === web ? {} : { process }
}

/** The same failure, with the process that it is about in its sentence, where that is not `web`. */
export function withProcess(failure: DeployFailure): DeployFailure {
  const { code, message, containerId, end, facts, cause } = failure
  if (facts.process === undefined) return failure
  const sentence = /^The app /.test(message)
    ? message.replace(/^The app /, `The process ${facts.process} `)
    : `The process ${facts.process}: ${message}`
  return new DeployFailure(code, sentence, { cause, containerId: containerId ?? undefined, end, facts })
}

/** `used more memory than its limit of 64 MiB (64 MiB at its peak)`. */
export function memoryWords(container: Container, work: DeploymentWork): string {
  const { memoryPeakBytes } = container
  const peak = memoryPeakBytes === null ? '' : ` (${mebibytes(memoryPeakBytes)} at its peak)`
  return `used more memory than its limit of ${mebibytes(memoryLimit(container, work))}${peak}`
}

export function memoryFacts(container: Container, work: DeploymentWork): Facts {
  const { memoryPeakBytes } = container
  const limitBytes = memoryLimit(container, work)
  return { limitBytes, ...(memoryPeakBytes === null ? {} : { peakBytes: memoryPeakBytes }) }
}

function memoryLimit(container: Container, { settings }: DeploymentWork): number {
  return (processOf(settings, slotOf(container).process)?.limits ?? settings.limits).memoryBytes
}

const mebibytes = (bytes: number) => `${Math.round((bytes / 2 ** 20) * 10) / 10} MiB`

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
