/** `berth deploy`: a folder, sent, built and deployed; what comes of it is the exit code. */

import { resolve } from 'node:path'
import { Readable } from 'node:stream'
import { isInProgress } from '../../platform/model/deployment-status.ts'
import type { App, Deployment } from '../../platform/model/resources.ts'
import { type Client, clientOf, findLogin, type LoginOptions } from '../client.ts'
import { findApp, findOrMakeApp } from '../deploy/find-app.ts'
import { duration, followDeployment } from '../deploy/follow.ts'
import { listSource, packSource, type Source } from '../deploy/pack.ts'
import { bytes } from '../engine/table.ts'
import { CommandError, paint, say } from '../say.ts'

export interface DeployOptions extends LoginOptions {
  app?: string
  /** Make the app where there is none. */
  create?: boolean
  /** Part of the folder that is built; all of the folder is sent. */
  folder?: string
  dockerfile?: string
  target?: string
  buildArg?: string[]
  follow: boolean
  gitignore: boolean
}

const progressEveryMs = 1_000
/** As a shell has it for what Ctrl-C ended. */
const interrupted = 130

export async function deploy(folder: string, options: DeployOptions): Promise<void> {
  const client = clientOf(findLogin(options))
  const args = buildArguments(options.buildArg ?? [])
  const name = options.app ?? process.env.BERTH_APP
  const { app, path, isNew } = options.create
    ? await findOrMakeApp(client, name)
    : { ...(await findApp(client, name)), isNew: false }
  if (isNew) say(`Made the app ${path}.`)
  const { dockerfile, gitignore: ignoresGit } = options
  const source = await listSource(resolve(folder), {
    dockerfile: joined(options.folder, dockerfile),
    ignoresGit,
  })
  for (const note of source.notes.slice(0, 10)) say(paint('yellow', `! ${note}`))
  if (source.notes.length > 10) say(paint('yellow', `! and ${source.notes.length - 10} more like these`))
  const interrupt = createInterrupt()
  try {
    const sent = await send(client, source, `/apps/${app.id}/builds${queryOf(options, args)}`, interrupt)
    say(
      `Deployment #${sent.number} of ${path}${options.follow ? '' : ` was asked for: ${client.url}/${path}/deployments/${sent.number}`}`,
    )
    if (!options.follow) return
    await tellEnd(client, app, await follow(client, sent, interrupt), interrupt)
  } finally {
    interrupt.close()
  }
}

/** As `docker build --build-arg` takes them: NAME=VALUE, or NAME alone for what the environment has. */
export function buildArguments(
  given: readonly string[],
  environment: Record<string, string | undefined> = process.env,
): Record<string, string> {
  return Object.fromEntries(
    given.map((text) => {
      const at = text.indexOf('=')
      const name = at === -1 ? text : text.slice(0, at)
      const value = at === -1 ? environment[name] : text.slice(at + 1)
      if (value === undefined)
        throw new CommandError(`--build-arg ${name}: it has no value, and the environment has none either.`)
      return [name, value]
    }),
  )
}

function queryOf({ folder, dockerfile, target }: DeployOptions, args: Record<string, string>): string {
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries({ folder, dockerfile, target }))
    if (value !== undefined) query.set(name, value)
  for (const [name, value] of Object.entries(args)) query.append('arg', `${name}=${value}`)
  return query.size === 0 ? '' : `?${query}`
}

function joined(folder: string | undefined, dockerfile = 'Dockerfile'): string {
  return folder === undefined ? dockerfile : `${folder.replace(/\/+$/, '')}/${dockerfile}`
}

async function send(client: Client, source: Source, path: string, interrupt: Interrupt): Promise<Deployment> {
  const count = source.files.filter(({ kind }) => kind !== 'folder').length
  const what = `${count.toLocaleString('en')} files, ${bytes(source.sizeBytes)}`
  const startMs = Date.now()
  const showsLine = process.stdout.isTTY
  let sent = 0
  let packed = 0
  let toldMs = Date.now()
  say(`Sending ${source.folder} to ${client.url} (${what})`)
  const archive = packSource(source, {
    onProgress(packedBytes, sentBytes) {
      packed = packedBytes
      sent = sentBytes
      if (Date.now() - toldMs < (showsLine ? 100 : progressEveryMs * 5)) return
      toldMs = Date.now()
      const percent = source.sizeBytes === 0 ? 100 : Math.floor((packed / source.sizeBytes) * 100)
      const text = `  ${percent} %, ${bytes(sent)} sent`
      if (showsLine) process.stdout.write(`\r\x1b[2K${text}`)
      else say(text)
    },
  })
  let wrong: Error | null = null
  archive.on('error', (error) => {
    wrong = error
  })
  try {
    const response = await client.fetch(path, {
      method: 'POST',
      headers: { 'content-type': 'application/gzip' },
      body: Readable.toWeb(archive) as ReadableStream<Uint8Array>,
      signal: interrupt.asked,
      duplex: 'half',
    } as RequestInit)
    const deployment = (await response.json()) as Deployment
    if (showsLine) process.stdout.write('\r\x1b[2K')
    say(`${paint('green', '✓')} sent ${bytes(sent)} ${paint('dim', `(${duration(Date.now() - startMs)})`)}`)
    return deployment
  } catch (error) {
    if (showsLine) process.stdout.write('\r\x1b[2K')
    if (interrupt.asked.aborted)
      throw new CommandError('Given up: nothing was deployed.', { exitCode: interrupted })
    throw wrong ?? error
  } finally {
    archive.destroy()
  }
}

/** Ctrl-C calls the deployment off and waits for its end; a second one leaves it to itself. */
async function follow(client: Client, { id, number }: Deployment, interrupt: Interrupt): Promise<Deployment> {
  const cancel = () => {
    say(`\nCalling deployment #${number} off; Ctrl-C again leaves without waiting for its end.`)
    client
      .post(`/deployments/${id}/cancel`)
      .catch((error: Error) => say(`It could not be called off: ${error.message}`))
  }
  interrupt.asked.addEventListener('abort', cancel, { once: true })
  if (interrupt.asked.aborted) cancel()
  try {
    return await followDeployment(client, id, interrupt.askedTwice)
  } catch (error) {
    if (!interrupt.askedTwice.aborted) throw error
    throw new CommandError(`Deployment #${number} is left to itself.`, { exitCode: interrupted })
  }
}

async function tellEnd(
  client: Client,
  { id }: App,
  deployment: Deployment,
  interrupt: Interrupt,
): Promise<void> {
  const { number, status, failure, startedAt, createdAt, liveAt } = deployment
  const name = `Deployment #${number}`
  if (status === 'live') {
    const took = duration(Date.parse(liveAt ?? createdAt) - Date.parse(startedAt ?? createdAt))
    const { urls } = await client.get<App>(`/apps/${id}`)
    say(`${paint('green', '✓')} ${name} is live ${paint('dim', `(${took})`)}`)
    for (const url of urls.slice(0, 1)) say(url)
    return
  }
  if (isInProgress(status)) throw new CommandError(`${name} is ${status} still: see the dashboard.`)
  const exitCode = interrupt.asked.aborted ? interrupted : 1
  if (status === 'canceled') throw new CommandError(`${name} was called off.`, { exitCode })
  if (failure === null) throw new CommandError(`${name} is ${status}: something newer took its place.`)
  const ended = [
    failure.exitCode === null ? null : `exit code ${failure.exitCode}`,
    failure.signal,
    failure.oomKilled ? 'out of memory' : null,
  ].filter((text) => text !== null)
  const lines = failure.step === 'build' ? [] : failure.lastLogLines.slice(-20).map((line) => `\n  | ${line}`)
  const how = ended.length === 0 ? '' : ` (${ended.join(', ')})`
  throw new CommandError(
    `${name} failed at ${failure.step}, ${failure.code}${how}: ${failure.message}${lines.join('')}`,
  )
}

interface Interrupt {
  asked: AbortSignal
  askedTwice: AbortSignal
  close(): void
}

function createInterrupt(): Interrupt {
  const first = new AbortController()
  const second = new AbortController()
  const onSignal = () => (first.signal.aborted ? second : first).abort()
  const names = ['SIGINT', 'SIGTERM'] as const
  for (const name of names) process.on(name, onSignal)
  return {
    asked: first.signal,
    askedTwice: second.signal,
    close() {
      for (const name of names) process.off(name, onSignal)
    },
  }
}
