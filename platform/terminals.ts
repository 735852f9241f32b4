import { notFound, type Viewer } from './access.ts'
import { type AppPlace, appAccess } from './app-access.ts'
import { record } from './audit.ts'
import { PlatformError } from './errors.ts'
import { commandSchema } from './model/app-settings.ts'
import {
  type OpenTerminalInput,
  openTerminalSchema,
  type TerminalTicket,
  terminalPath,
  terminalProtocol,
} from './model/terminal.ts'
import type { Platform } from './open.ts'
import { countAttempt } from './rate-limit.ts'
import { takeRunTerminal } from './run-terminal.ts'
import { runContainerId } from './runs.ts'
import { randomText, sha256 } from './secrets.ts'
import { validate } from './validate.ts'

const ticketMs = 30_000
const opened = { name: 'terminal', limit: 60, windowSeconds: 60 }

export const ticketKey = (ticket: string) => `berth:terminal:${sha256(ticket)}`

/**
 * A ticket for one WebSocket to the host that runs the container: for this caller, this app, this container and this
 * command, once, within half a minute. Throws `conflict` when no such container runs, `rate-limited`.
 */
export async function openTerminal(
  platform: Platform,
  viewer: Viewer,
  appId: string,
  input: OpenTerminalInput = {},
): Promise<TerminalTicket> {
  const place = await mayHaveTerminal(platform, viewer, appId)
  const { container: wanted, process, replica, run, ...asked } = validate(openTerminalSchema, input)
  const chosen = { id: wanted, process, replica }
  const ofRun = run === undefined ? null : await attachedRun(platform, place, run, { ...chosen, ...asked })
  const container = ofRun?.container ?? (await chooseContainer(platform, place, chosen))
  const how = ofRun === null ? asked : { ...asked, command: ofRun.command }
  await countAttempt(platform, opened, JSON.stringify([nameOf(viewer), appId]))
  if (run !== undefined && !(await takeRunTerminal(platform, run)))
    throw new PlatformError('conflict', 'The run has had its terminal, or nobody opened it in time.')
  const ticket = randomText(40)
  const work = { viewer, ...place, hostId: container.hostId, containerId: container.id, runId: run, ...how }
  await platform.db.$transaction(async (tx) => {
    await record(tx, viewer, {
      ...{ teamId: place.teamId, action: 'terminal.open', target: targetOf(place) },
      detail: {
        containerId: container.id,
        ...(how.command === undefined ? {} : { command: how.command.join(' ').slice(0, 500) }),
        ...(how.user === undefined ? {} : { user: how.user }),
        ...(how.debug ? { debug: true } : {}),
      },
    })
    await platform.redis.set(ticketKey(ticket), JSON.stringify(work), 'PX', ticketMs)
  })
  return {
    ticket,
    path: terminalPath(container.hostId),
    protocol: terminalProtocol,
    containerId: container.id,
    process: container.process,
    replica: container.replica,
    expiresAt: new Date(Date.now() + ticketMs).toISOString(),
  }
}

/** The container and the command of a run that waits for its terminal. Throws `invalid`, `conflict`, `not-found`. */
async function attachedRun(
  platform: Platform,
  { appId, hostId }: AppPlace,
  id: string,
  asked: Record<string, unknown>,
) {
  const isOther = (name: string) => asked[name] !== undefined && asked[name] !== false
  if (['id', 'process', 'replica', 'command', 'debug'].some(isOther)) {
    const message = 'has a container and a command of its own: nothing else is chosen'
    throw new PlatformError('invalid', `run ${message}.`, { fields: [{ path: 'run', message }] })
  }
  const run = await platform.db.run.findUnique({ where: { id } })
  if (run === null || run.appId !== appId) throw notFound('run')
  if (!run.isAttached || run.status !== 'running')
    throw new PlatformError('conflict', `Run ${run.number} does not wait for a terminal.`)
  const container = { id: runContainerId(id), hostId, process: 'run', replica: 0 }
  return { container, command: commandSchema.parse(run.command) }
}

/** Asked when a terminal is opened, and as long as it is open. Throws `not-found`, `forbidden`. */
export async function mayHaveTerminal(platform: Platform, viewer: Viewer, appId: string): Promise<AppPlace> {
  const place = await appAccess(platform, viewer, appId, 'terminal.open')
  if (place.desiredState === 'deleted') throw notFound('app')
  return place
}

export function targetOf({ appId, name }: Pick<AppPlace, 'appId' | 'name'>) {
  return { type: 'app', id: appId, name }
}

/** By which terminals are counted. */
export function nameOf(viewer: Viewer): string {
  if (viewer.kind === 'user') return viewer.userId
  return viewer.kind === 'token' ? (viewer.userId ?? viewer.tokenId) : viewer.kind
}

/** What is live comes first: while a deployment is under way there are containers of two. */
export async function chooseContainer(
  platform: Platform,
  { appId }: AppPlace,
  wanted: { id?: string | undefined; process?: string | undefined; replica?: number | undefined },
) {
  const app = await platform.db.app.findUniqueOrThrow({
    where: { id: appId },
    select: {
      liveDeploymentId: true,
      containers: {
        where: { state: 'running', id: wanted.id, process: wanted.process, replica: wanted.replica },
        orderBy: { replica: 'asc' },
        select: { id: true, hostId: true, process: true, replica: true, deploymentId: true },
      },
    },
  })
  const rank = (each: (typeof app.containers)[number]) =>
    (each.deploymentId === app.liveDeploymentId ? 0 : 2) + (each.process === 'web' ? 0 : 1)
  const [first] = app.containers.sort((one, other) => rank(one) - rank(other))
  if (first !== undefined) return first
  const isChosen = Object.values(wanted).some((value) => value !== undefined)
  throw new PlatformError(
    'conflict',
    isChosen ? 'No such container of this app runs.' : 'Nothing of this app runs. Start or deploy it first.',
  )
}
