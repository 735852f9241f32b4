/** A real worker with its engine, and somebody who types `berth engine …`. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { afterAll, beforeAll, inject } from 'vitest'
import { writeSettings } from '../../../cli/settings.ts'
import { until } from '../../support/until.ts'
import { startTestHost, type TestHost } from '../../support/worker.ts'

export interface Stand {
  /** These three are there once the tests run. */
  readonly host: TestHost
  readonly home: string
  /** Pushed to the host's registry, and not pulled: a shell that says hello. */
  readonly image: string
  engine(...args: string[]): Promise<Said>
  /** With standard input for `-i` and `-`. */
  start(...args: string[]): { child: ReturnType<typeof spawn>; said: Said; ended: Promise<Said> }
  /** The command in a terminal, and somebody who types there. */
  typed(args: string, work: Typist): Promise<{ code: number | null; shown: string }>
}

type Typist = (type: (text: string) => void, see: (text: string) => Promise<unknown>) => Promise<void>

export interface Said {
  code: number | null
  out: string
  err: string
}

const repository = join(import.meta.dirname, '../../..')

/** One for the whole file that calls it. */
export function makeStand(): Stand {
  let host: TestHost | undefined
  let home = ''
  let image = ''

  beforeAll(async () => {
    host = await startTestHost({ postgresUrl: inject('postgresUrl'), redisUrl: inject('redisUrl') })
    const { port, domain, hostId, webPort } = host.berth.config
    home = host.berth.config.home
    writeSettings(home, {
      ...{ port, domain, hostId, webPort },
      createdAt: new Date().toISOString(),
      welcomed: true,
      ownHttps: false,
    })
    await host.startWorker()
    image = await host.push('tool', { entrypoint: [], command: ['/bin/sh', '-c', 'echo hello'] })
  })
  afterAll(() => host?.close())

  function start(...args: string[]) {
    const child = spawn(process.execPath, ['cli/main.ts', 'engine', ...args], {
      cwd: repository,
      stdio: [args.includes('-i') || args.includes('-') ? 'pipe' : 'ignore', 'pipe', 'pipe'],
      env: { ...process.env, BERTH_HOME: home, NO_COLOR: '1' },
    })
    const said: Said = { code: null, out: '', err: '' }
    child.stdout?.on('data', (chunk) => {
      said.out += chunk
    })
    child.stderr?.on('data', (chunk) => {
      said.err += chunk
    })
    const ended = once(child, 'close').then(([code]) => Object.assign(said, { code }))
    return { child, said, ended }
  }

  async function typed(args: string, work: Typist): Promise<{ code: number | null; shown: string }> {
    const terminal = spawn(
      'script',
      ['-qec', `${process.execPath} cli/main.ts engine ${args}`, '/dev/null'],
      {
        cwd: repository,
        env: { ...process.env, BERTH_HOME: home },
      },
    )
    let shown = ''
    terminal.stdout.on('data', (chunk) => {
      shown += chunk
    })
    const closed = once(terminal, 'close')
    await work(
      (text) => terminal.stdin.write(text),
      (text) => until(`it shows ${text}`, () => shown.includes(text)),
    )
    const [code] = await closed
    return { code, shown }
  }

  return {
    get host() {
      if (!host) throw new Error('the stand is not up yet')
      return host
    },
    get home() {
      return home
    },
    get image() {
      return image
    },
    start,
    engine: (...args) => start(...args).ended,
    typed,
  }
}
