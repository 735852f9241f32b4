import { execFileSync, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type BerthHome, berth, checkout, makeBerthHome } from '../support/berth-home.ts'
import { freePort } from '../support/registry.ts'
import { until } from '../support/until.ts'

let first: BerthHome
let second: BerthHome
let started: Awaited<ReturnType<BerthHome['up']>>
const parts = ['postgres', 'redis', 'registry', 'web', 'worker', 'edge']

beforeAll(async () => {
  first = await makeBerthHome()
  second = await makeBerthHome()
  started = await first.up()
})

afterAll(async () => {
  await second?.close()
  await first?.close()
})

async function welcomePage(home: BerthHome, url: string | undefined): Promise<string> {
  const { status, body } = await home.open(url ?? '')
  expect(status).toBe(200)
  expect(body).toContain('Berth')
  return body
}

function pidOf(home: BerthHome, name: string): Promise<number> {
  return until(`${name} runs`, async () => {
    const { parts: list } = await home.status()
    return list.find((part) => part.name === name)?.pid
  })
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return !readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ')
  } catch {
    return false
  }
}

describe('the first start', () => {
  test('prints three addresses that answer, and no colours where there is no terminal', async () => {
    expect(started.dashboard).toBe(`http://localhost:${first.port}`)
    expect((await first.open(started.dashboard ?? '')).status).toBeLessThan(400)
    expect(started.setupLink).toMatch(new RegExp(`^http://localhost:${first.port}/setup\\?token=\\w{20,}$`))
    expect((await first.open(started.setupLink ?? '')).status).toBe(200)
    expect(started.welcome).toBe(`http://welcome-main.localhost:${first.port}`)
    expect(await welcomePage(first, started.welcome)).toContain('welcome-0')
    expect(started.output).not.toContain('\u001b')
  })

  test('keeps secrets and settings from everybody but root', async () => {
    expect(statSync(join(first.home, 'secrets')).mode & 0o077).toBe(0)
    expect(statSync(join(first.home, 'settings.json')).mode & 0o077).toBe(0)
    expect(statSync(join(first.home, 'secrets/master.key')).mode & 0o077).toBe(0)
  })

  test('status names every part with its process and memory, for people and for programs', async () => {
    const { parts: list, memoryBytes } = await first.status()
    expect(list.map(({ name }) => name)).toEqual(expect.arrayContaining(parts))
    expect(list.filter(({ pid, memoryBytes: bytes }) => pid === null || bytes <= 0)).toEqual([])
    expect(memoryBytes).toBe(list.reduce((sum, part) => sum + part.memoryBytes, 0))
    const { code, stdout } = await first.run('status')
    expect(code).toBe(0)
    for (const name of parts) expect(stdout).toContain(name)
  })

  test('what was compiled is kept where only who may change the code may change it', async () => {
    const folder = join(checkout, 'node_modules/.cache/berth')
    for (const name of ['worker', 'web']) {
      const environment = readFileSync(`/proc/${await pidOf(first, name)}/environ`, 'utf8').split('\0')
      expect(environment).toContain(`NODE_COMPILE_CACHE=${folder}`)
    }
    expect(readdirSync(folder, { recursive: true }).length).toBeGreaterThan(100)
    expect(statSync(folder).mode & 0o022).toBe(0)
    expect(statSync(folder).uid).toBe(statSync(checkout).uid)
  })

  test('the operator makes tokens that the API accepts', async () => {
    const { code, stdout } = await first.run('token', 'create', '--team', 'main', '--name', 'test')
    expect(code).toBe(0)
    const response = await fetch(`http://127.0.0.1:${first.port}/api/v1/teams`, {
      headers: { authorization: `Bearer ${stdout.trim()}` },
    })
    expect(response.status).toBe(200)
  })
})

describe('the registry', () => {
  test('collects what no image needs when the operator asks, and says how it went', async () => {
    const asked = await first.run('registry', 'collect', '--detach')
    expect([asked.code, asked.stderr]).toEqual([0, ''])
    const last = await until('a collection was begun', async () => {
      const { code, stdout } = await first.run('registry', 'status', '--json')
      expect(code).toBe(0)
      return JSON.parse(stdout)
    })
    expect(Date.parse(last.startedAt)).toBeGreaterThan(Date.now() - 300_000)
    expect((await first.run('registry', 'status')).stdout).toMatch(/under way since|Collected at/)
  })
})

describe('what can’t be is refused with a sentence, and leaves nothing behind', () => {
  test('a second supervisor in the same home', async () => {
    const { code, stderr } = await first.run('up', '--detach')
    expect(code).not.toBe(0)
    expect(stderr).toMatch(/runs already/)
    expect(stderr).toContain(`http://localhost:${first.port}`)
    await welcomePage(first, started.welcome)
  })

  test('a public port that somebody has: it is said who, and how to choose another', async () => {
    const { code, stderr } = await second.run('up', '--detach', '--port', String(first.port))
    expect(code).not.toBe(0)
    expect(stderr).toContain(String(first.port))
    expect(stderr).toMatch(/haproxy|Berth/)
    expect(stderr).toContain('--port')
    expect(existsSync(second.home)).toBe(false)
  })

  test('an option, a command and a part that are unknown', async () => {
    for (const args of [['up', '--port', 'eighty'], ['up', '--nonsense'], ['dance'], ['logs', 'dancer']]) {
      const { code, stderr } = await berth([...args, ...(args.length > 1 ? ['--home', first.home] : [])])
      expect({ args, code }).not.toEqual({ args, code: 0 })
      expect(stderr).not.toMatch(/^ +at /m)
    }
  })

  test('a home where nothing was ever started', async () => {
    const { code, stderr } = await second.run('status')
    expect(code).not.toBe(0)
    expect(stderr).toContain('berth up')
  })
})

test('a second installation runs beside the first, and they share nothing', async () => {
  const other = await second.up()
  const here = await welcomePage(first, started.welcome)
  const there = await welcomePage(second, other.welcome)
  expect(there).not.toBe(here)
  const pids = async (home: BerthHome) => (await home.status()).parts.map(({ pid }) => pid)
  const mine = await pids(first)
  expect((await pids(second)).filter((pid) => mine.includes(pid))).toEqual([])
  expect((await second.run('down')).code).toBe(0)
  expect(await welcomePage(first, started.welcome)).toBe(here)
})

test.each(['worker', 'web', 'redis', 'registry', 'postgres', 'edge'])(
  'a killed %s is started again, the log says so, and the app keeps its container',
  async (name) => {
    const before = await welcomePage(first, started.welcome)
    const pid = await pidOf(first, name)
    process.kill(pid, 'SIGKILL')
    await until(`another ${name} runs`, async () => {
      const { parts: list } = await first.status()
      const now = list.find((part) => part.name === name)?.pid
      return now !== null && now !== undefined && now !== pid
    })
    const after = await until('everything answers', async () => {
      const { status } = await first.open(`http://localhost:${first.port}/api/health`)
      const page = await first.open(started.welcome ?? '')
      return status === 200 && page.status === 200 && page.body
    })
    expect(after).toBe(before)
    const { stdout } = await first.run('logs', name)
    expect(stdout).toMatch(/SIGKILL/)
    expect(stdout).toMatch(/start(s|ed|ing)? .*again/)
  },
)

describe('apps outlive the platform', () => {
  test('down, up: the same container answers, and the link is a new one', async () => {
    const before = await welcomePage(first, started.welcome)
    const { parts: list } = await first.status()
    expect((await first.run('down')).code).toBe(0)
    expect(list.filter(({ pid }) => pid !== null && isAlive(pid))).toEqual([])
    await expect(first.open(started.welcome ?? '')).rejects.toThrow()
    const again = await first.up()
    expect(await welcomePage(first, again.welcome)).toBe(before)
    expect(again.setupLink).not.toBe(started.setupLink)
  })

  test('a supervisor that was killed: the next up ends what it left but the edge, and finds the apps', async () => {
    const before = await welcomePage(first, started.welcome)
    const { parts: list } = await first.status()
    const supervisor = list.find(({ name }) => !parts.includes(name))?.pid ?? 0
    process.kill(supervisor, 'SIGKILL')
    await until('the supervisor is gone', () => !isAlive(supervisor))
    expect((await first.status()).running).toBe(false)
    const again = await first.up()
    expect(await welcomePage(first, again.welcome)).toBe(before)
    const left = list.filter(({ pid }) => pid !== null && isAlive(pid))
    expect(left.map(({ name }) => name)).toEqual(['edge'])
    expect(await pidOf(first, 'edge')).toBe(left[0]?.pid)
  })

  test('inner ports that somebody took meanwhile are chosen anew', async () => {
    await first.run('down')
    const settings = JSON.parse(readFileSync(join(first.home, 'settings.json'), 'utf8'))
    const thief = createServer((_, response) => response.end('mine'))
    await new Promise<void>((resolve) => thief.listen(settings.webPort, '127.0.0.1', resolve))
    try {
      const again = await first.up()
      await welcomePage(first, again.welcome)
    } finally {
      thief.close()
    }
  })

  test('down --apps stops them too; started again, they answer again', async () => {
    expect((await first.run('down', '--apps')).code).toBe(0)
    // Bridges, and the name servers and firewalls that name them.
    const bridge = `bth${createHash('sha256').update(join(first.home, 'engine')).digest('hex').slice(0, 6)}`
    expect(execFileSync('ip', ['-o', 'link'], { encoding: 'utf8' })).not.toContain(bridge)
    expect(commandLines().filter((line) => line.includes(bridge))).toEqual([])
    const again = await first.up()
    expect((await first.open(started.welcome ?? '')).status).toBe(503)
    expect(again.dashboard).toBeDefined()
    const app = await theApp()
    expect((await first.api('POST', `/apps/${app.id}/start`)).status).toBe(202)
    await until('it answers', async () => (await first.open(started.welcome ?? '')).status === 200)
  })

  test('a welcome app that was deleted does not come back', async () => {
    const app = await theApp()
    expect((await first.api('DELETE', `/apps/${app.id}`)).status).toBe(202)
    await until('it is gone', async () => (await first.api('GET', `/apps/${app.id}`)).status === 404)
    await first.run('down')
    const again = await first.up()
    expect(again.welcome).toBeUndefined()
    expect(again.dashboard).toBeDefined()
    expect((await first.open(started.welcome ?? '')).status).toBe(404)
  })
})

test('another port is taken over by a later start', async () => {
  await first.run('down')
  const port = await freePort()
  const { code, stdout, output } = await first.run('up', '--detach', '--port', String(port))
  expect({ code, output }).toEqual({ code: 0, output: expect.anything() })
  expect(stdout).toContain(`http://localhost:${port}`)
  const response = await fetch(`http://127.0.0.1:${port}/api/health`)
  expect(response.status).toBe(200)
})

describe('in the foreground', () => {
  function foreground(home: BerthHome) {
    const child = spawn(join(checkout, 'berth'), ['up', '--home', home.home], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const shown = { output: '' }
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk) => {
        shown.output += chunk
      })
    const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
    return { child, shown, ended }
  }

  test('it shows the parts’ logs, and Ctrl-C stops it in order with exit code 0', async () => {
    await first.run('down')
    const { child, shown, ended } = foreground(first)
    await until(
      'it is ready',
      () => shown.output.includes('Dashboard') && first.status().then((s) => s.running),
    )
    const { parts: list } = await first.status()
    process.kill(await pidOf(first, 'registry'), 'SIGKILL')
    await until('a line about a part is shown', () => /^registry +.*SIGKILL.*again/m.test(shown.output))
    child.kill('SIGINT')
    expect(await ended).toBe(0)
    expect(list.filter(({ pid }) => pid !== null && isAlive(pid))).toEqual([])
    const order = parts.map((name) => shown.output.indexOf(`stopping ${name}`))
    expect(order.every((at) => at > 0)).toBe(true)
    expect(Math.max(...order)).toBe(shown.output.indexOf('stopping postgres'))
  })

  test('Ctrl-C while it starts ends what had started, with a sentence and another exit code', async () => {
    const { child, shown, ended } = foreground(first)
    await until('it starts', () => shown.output.includes('… registry'))
    child.kill('SIGINT')
    expect(await ended).not.toBe(0)
    expect(shown.output).toMatch(/stopped before it was ready/)
    expect((await first.status()).running).toBe(false)
    expect((await first.run('down')).stdout).toContain('does not run')
  })
})

test('a disk without room is refused before anything is made', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'berth-full-'))
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64m,mode=755', 'none', folder])
  try {
    const home = join(folder, 'home')
    const { code, stderr } = await berth([
      'up',
      '--detach',
      '--home',
      home,
      '--port',
      String(await freePort()),
    ])
    expect(code).not.toBe(0)
    expect(stderr).toMatch(/MiB free.*make room/)
    expect(existsSync(home)).toBe(false)
  } finally {
    execFileSync('umount', [folder])
    await rm(folder, { recursive: true, force: true })
  }
})

function commandLines(): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
      } catch {
        // It ended while we looked.
        return ''
      }
    })
}

async function theApp(): Promise<{ id: string }> {
  const { body } = await first.api('GET', '/teams/main/apps')
  const [app] = (body as { data: { id: string }[] }).data
  if (app === undefined) throw new Error('there is no app')
  return app
}
