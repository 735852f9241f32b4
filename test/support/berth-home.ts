/** An installation made by the `berth` command itself, in a home of its own, with everything gone afterwards. */
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createEngine } from '../../engine/index.ts'
import { get } from './edge.ts'
import { type ImageSpec, pushImage } from './images.ts'
import { freePort } from './registry.ts'

export const checkout = join(import.meta.dirname, '../..')

export interface CommandResult {
  code: number | null
  stdout: string
  stderr: string
  /** Both, as a person would see them. */
  output: string
}

/** Runs `./berth …` as a script would: no terminal, nothing to read. */
export async function berth(args: string[], options: { cwd?: string } = {}): Promise<CommandResult> {
  const child = spawn(join(checkout, 'berth'), args, {
    cwd: options.cwd ?? checkout,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const result: CommandResult = { code: null, stdout: '', stderr: '', output: '' }
  for (const name of ['stdout', 'stderr'] as const)
    child[name].on('data', (chunk) => {
      result[name] += chunk
      result.output += chunk
    })
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => resolve({ ...result, code }))
  })
}

export interface BerthHome {
  home: string
  port: number
  /** `berth COMMAND --home <this one> …` */
  run(command: string, ...args: string[]): Promise<CommandResult>
  /** `berth up --detach`; throws with its whole output when it fails. Answers what it printed, line by line. */
  up(...args: string[]): Promise<{ dashboard?: string; setupLink?: string; welcome?: string; output: string }>
  status(): Promise<BerthStatus>
  /** Asks an address of this Berth, by the edge. */
  open(url: string): ReturnType<typeof get>
  /** The REST API as the operator. */
  api(method: string, path: string, body?: unknown): Promise<{ status: number; body: unknown }>
  /** Pushes an image with a token of the team main; `repository` is name:tag in that team. Answers what names it. */
  push(repository: string, spec: ImageSpec): Promise<string>
  close(): Promise<void>
}

export interface BerthStatus {
  running: boolean
  parts: { name: string; pid: number | null; memoryBytes: number }[]
  memoryBytes: number
}

export async function makeBerthHome(): Promise<BerthHome> {
  const folder = await mkdtemp(join(tmpdir(), 'berth-up-'))
  // PostgreSQL's user must get through.
  await chmod(folder, 0o755)
  const home = join(folder, 'home')
  const port = await freePort()
  const run: BerthHome['run'] = (command, ...args) => berth([command, ...args, '--home', home])
  const lineOf = (output: string, label: string) =>
    new RegExp(`^${label} +(http\\S+)$`, 'm').exec(output)?.[1] ?? undefined
  return {
    home,
    port,
    run,
    async up(...args) {
      const { code, output, stdout } = await run('up', '--detach', '--port', String(port), ...args)
      if (code !== 0) throw new Error(`berth up ended with ${code}:\n${output}`)
      return {
        dashboard: lineOf(stdout, 'Dashboard'),
        setupLink: lineOf(stdout, 'Set-up link'),
        welcome: lineOf(stdout, 'Welcome app'),
        output,
      }
    },
    async status() {
      const { stdout } = await run('status', '--json')
      return JSON.parse(stdout) as BerthStatus
    },
    open(url) {
      const { host, pathname, search } = new URL(url)
      return get(port, host, { path: `${pathname}${search}` })
    },
    api: (method, path, body) => askApi(home, method, path, body),
    async push(repository, spec) {
      const created = await run('token', 'create', '--team', 'main', '--name', `pushes ${repository}`)
      const [name] = repository.split(':')
      const scope = encodeURIComponent(`repository:main/${name}:pull,push`)
      const url = `http://127.0.0.1:${port}/api/registry/token?service=berth-registry&scope=${scope}`
      const login = Buffer.from(`token:${created.stdout.trim()}`).toString('base64')
      const response = await fetch(url, { headers: { authorization: `Basic ${login}` } })
      const { token } = (await response.json()) as { token: string }
      const registry = { port, host: `localhost:${port}` }
      return (await pushImage(registry, `main/${repository}`, spec, `Bearer ${token}`)).reference
    },
    async close() {
      await run('down')
      await removeApps(home)
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** The REST API of the Berth in this home, as its operator. */
export async function askApi(
  home: string,
  method: string,
  path: string,
  body?: unknown,
): Promise<{ status: number; body: unknown }> {
  const { webPort } = JSON.parse(await readFile(join(home, 'settings.json'), 'utf8'))
  const token = (await readFile(join(home, 'secrets/operator.token'), 'utf8')).trim()
  const response = await fetch(`http://127.0.0.1:${webPort}/api/v1${path}`, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const text = await response.text()
  return { status: response.status, body: text === '' ? null : JSON.parse(text) }
}

/** Ends what the engine of this home runs, and takes its networks down; no worker may be there any more. */
export async function removeApps(home: string): Promise<void> {
  if (!existsSync(join(home, 'engine'))) return
  const engine = await createEngine({ stateDir: join(home, 'engine') })
  for (const { id } of await engine.containers.list()) await engine.containers.remove(id, { force: true })
  for (const { name } of await engine.networks.list()) await engine.networks.remove(name)
  await engine.close()
}
