/** A deployment as it happens, on a terminal or in the log of a CI. */
import { stripVTControlCharacters } from 'node:util'
import { createStepReader } from '../../platform/model/build-steps.ts'
import type { BuildLine, BuildWait } from '../../platform/model/builds.ts'
import { isInProgress } from '../../platform/model/deployment-status.ts'
import type { DeploymentStep } from '../../platform/model/deployment-step.ts'
import type { DeploymentEvent } from '../../platform/model/events.ts'
import type { Deployment } from '../../platform/model/resources.ts'
import type { Client } from '../client.ts'
import { paint, say } from '../say.ts'
import { events } from './stream.ts'

const logWithinMs = 10_000

/** Says all of it. Answers with the deployment once it is live or over. */
export async function followDeployment(client: Client, id: string, signal: AbortSignal): Promise<Deployment> {
  const over = new AbortController()
  const until = AbortSignal.any([signal, over.signal])
  const log = followBuildLog(client, id, until)
  const said = new Set<string>()
  try {
    const onLost = () => say(paint('dim', 'The connection was lost: trying again.'))
    const stream = events<DeploymentEvent>(client, `/deployments/${id}/events`, { signal: until, onLost })
    for await (const event of stream) {
      if (event.type === 'waiting' && event.waiting !== null) say(paint('dim', waitWords(event.waiting)))
      if (event.type === 'message') say(paint('dim', event.text))
      if (event.type === 'step') await tellStep(event.step)
      if (event.type === 'status' && !isInProgress(event.status)) break
    }
    signal.throwIfAborted()
    await log.drain()
    return await client.get<Deployment>(`/deployments/${id}`)
  } finally {
    over.abort()
    await log.closed
  }

  async function tellStep(step: DeploymentStep): Promise<void> {
    // A step may be told twice, and run twice.
    const key = `${step.name} ${step.startedAt} ${step.status}`
    if (said.has(key)) return
    said.add(key)
    if (step.finishedAt === null) return say(`… ${stepWords[step.name]}`)
    if (step.name === 'build') await log.drain()
    const mark = { done: paint('green', '✓'), failed: paint('red', '✗'), canceled: '–', running: '…' }[
      step.status
    ]
    const took = duration(Date.parse(step.finishedAt) - Date.parse(step.startedAt))
    const detail = step.detail === null || step.status === 'failed' ? '' : ` ${paint('dim', step.detail)}`
    say(`${mark} ${stepWords[step.name]} ${paint('dim', `(${took})`)}${detail}`)
  }
}

const stepWords = {
  build: 'building the image',
  pull: 'bringing the image to the host',
  release: 'running the release command',
  start: 'starting containers',
  check: 'waiting for them to answer',
  route: 'switching traffic',
  retire: 'stopping the previous containers',
} as const satisfies Record<DeploymentStep['name'], string>

export function waitWords({ reason, before }: BuildWait): string {
  const why = {
    host: 'all places of the host are taken',
    team: 'the team has as many builds as it may have at once',
    memory: "the host's memory is short",
  }[reason]
  return before === 0 ? `Waiting: ${why}.` : `Waiting: ${why}; ${before} before this one.`
}

export function duration(ms: number): string {
  const seconds = Math.max(0, ms) / 1_000
  if (seconds < 60) return `${seconds.toFixed(1)} s`
  return `${Math.floor(seconds / 60)} min ${Math.floor(seconds % 60)} s`
}

interface BuildLogTail {
  /** Waits until all that the build said is shown. */
  drain(): Promise<void>
  closed: Promise<void>
}

function followBuildLog(client: Client, id: string, signal: AbortSignal): BuildLogTail {
  const path = `/deployments/${id}/build-log`
  const reader = createStepReader()
  const enough = new AbortController()
  let shown = 0

  function show(line: BuildLine): void {
    shown += 1
    const before = reader.steps.length
    reader.add(line)
    const ended = reader.steps.length > before ? reader.steps.at(-2) : undefined
    if (ended?.instruction && ended.finishedAt !== null) {
      const took = duration(Date.parse(ended.finishedAt) - Date.parse(ended.startedAt))
      say(paint('dim', `  (${ended.isCached ? 'cached' : took})`))
    }
    const text = `  ${harmless(line.text)}`
    say(line.stream === 'info' || reader.steps.length > before ? paint('bold', text) : text)
  }

  async function read(): Promise<void> {
    const until = AbortSignal.any([signal, enough.signal])
    for await (const line of events<BuildLine>(client, path, { signal: until })) show(line)
  }
  // Who may not read it is told the end of it still.
  const closed = read().catch(() => undefined)

  return {
    closed,
    async drain() {
      enough.abort()
      await closed
      for (const end = Date.now() + logWithinMs; ; ) {
        const log = await client
          .get<{ lines: BuildLine[]; isComplete: boolean }>(path)
          .catch(() => ({ lines: [], isComplete: true }))
        for (const line of log.lines.slice(shown)) show(line)
        if (log.isComplete || Date.now() > end || signal.aborted) return
        await new Promise((done) => setTimeout(done, 200))
      }
    },
  }
}

/** Colours stay on a terminal; whatever else a build might do to it does not. */
export function harmless(text: string, hasColours = process.stdout.isTTY && !process.env.NO_COLOR): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  const colour = /(\x1b\[[0-9;]{0,40}m)/
  return text
    .split(colour)
    .map((part, index) => {
      if (index % 2 === 1) return hasColours ? part : ''
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken away
      return stripVTControlCharacters(part).replace(/[\x00-\x08\x0b-\x1f\x7f-\x9f]/g, '')
    })
    .join('')
    .concat(hasColours && colour.test(text) ? '\x1b[0m' : '')
}
