/**
 * A host of its own, as far as networks go: a network namespace with an uplink to a world beyond it, in which the
 * engine's networks run in a process of their own. What is done to its firewall and routes nobody else notices.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { EngineError, type EngineErrorKind } from '../../engine/index.ts'
import type { NetworkPlaces, PlaceOptions } from '../../engine/network/network-places.ts'
import type { Networks } from '../../engine/network/networks.ts'
import { commandLine, killProcesses, processStart } from '../../engine/sys/processes.ts'
import { until } from './until.ts'

const runFile = promisify(execFile)
const serverFile = new URL('./line-server.ts', import.meta.url).pathname
const askFile = new URL('./ask-line.ts', import.meta.url).pathname
const childFile = new URL('./networks-child.ts', import.meta.url).pathname

/** Runs a command, answers with what it wrote; throws with both outputs when it fails. */
export type Run = (argv: string[], options?: { timeoutMs?: number }) => Promise<string>

export interface FakeContainer {
  id: string
  pid: number
  address: string
  /** In its network namespace, with all power over it. */
  run: Run
  /** What a server there says to the container; null when it does not answer. */
  ask(address: string, port: number, protocol?: 'tcp' | 'udp'): Promise<string | null>
  /** Serves its id on a port. */
  serve(port: number, address?: string): Promise<void>
  stop(): Promise<void>
}

/** All that networks can do, of whatever process they are in. */
export type RemoteNetworks = {
  [Name in keyof (Networks & NetworkPlaces)]: (Networks & NetworkPlaces)[Name] extends (
    ...args: infer Args
  ) => infer Result
    ? (...args: Args) => Promise<Awaited<Result>>
    : never
}

export interface PrivateHost {
  networks: RemoteNetworks
  instance: string
  /** The engine's process, in the host's network namespace. */
  pid: number
  /** On the host. */
  run: Run
  /** In the world beyond it. */
  world: Run
  /** The host's address towards the world, and the world's. */
  address: string
  worldAddress: string
  /** Serves a text on a TCP and UDP port: on the host, in the world, or in the network namespace of a process. */
  serve(where: 'host' | 'world' | number, text: string, port: number, address?: string): Promise<void>
  ask(
    where: 'host' | 'world' | number,
    address: string,
    port: number,
    protocol?: 'tcp' | 'udp',
  ): Promise<string | null>
  /** A process in a network namespace of its own, reserved and connected. */
  container(id: string, network: string, options?: Partial<PlaceOptions>): Promise<FakeContainer>
  /** Starts a process that is ended with the host. */
  start(where: 'host' | 'world', argv: string[]): ChildProcess
  /**
   * Does something while the engine's firewall is gone and nobody mends it: what is proved to fail can be seen to work
   * there. The firewall is back when it returns.
   */
  unguarded<T>(work: () => Promise<T>): Promise<T>
  /**
   * Ends the engine's process, and starts another on the same state, which is told what still runs: containers that end
   * meanwhile do not.
   */
  restart(options?: { kill?: boolean; ending?: FakeContainer[] }): Promise<void>
  close(): Promise<void>
}

let count = 0

export interface PrivateHostOptions {
  allowedHostPorts?: number[]
  pool?: string
  mtu?: number
  /** Shell, done before the engine in its own mount namespace. */
  prepare?: string
}

export async function startPrivateHost(options: PrivateHostOptions = {}): Promise<PrivateHost> {
  const { allowedHostPorts = [], pool = '10.91.0.0/16', mtu = 1500, prepare = '' } = options
  const name = `bh${process.pid}-${++count}`
  const worldName = `bw${process.pid}-${count}`
  const address = '198.18.0.1'
  const worldAddress = '198.18.0.2'
  const instance = randomBytes(3).toString('hex')
  const folder = mkdtempSync(join(tmpdir(), 'berth-host-'))
  // The name servers run as nobody.
  chmodSync(folder, 0o711)
  const started = new Set<ChildProcess>()
  const containers = new Map<string, FakeContainer>()
  const onRealHost: Run = async (argv, { timeoutMs = 20_000 } = {}) => {
    const [file = '', ...args] = argv
    return (await runFile(file, args, { timeout: timeoutMs, killSignal: 'SIGKILL', maxBuffer: 2 ** 24 }))
      .stdout
  }
  const inside =
    (where: string): Run =>
    (argv, more) =>
      onRealHost(['ip', 'netns', 'exec', where, ...argv], more)
  const run = inside(name)
  const world = inside(worldName)

  mkdirSync(`/etc/netns/${name}`, { recursive: true })
  writeFileSync(`/etc/netns/${name}/resolv.conf`, `nameserver ${worldAddress}\n`)
  for (const each of [name, worldName]) await onRealHost(['ip', 'netns', 'add', each])
  await onRealHost([
    'ip',
    'link',
    'add',
    'up0',
    'mtu',
    String(mtu),
    'netns',
    name,
    'type',
    'veth',
    'peer',
    'name',
    'eth0',
    'mtu',
    String(mtu),
    'netns',
    worldName,
  ])
  for (const line of [
    'link set lo up',
    `address add ${address}/24 dev up0`,
    'link set up0 up',
    `route add default via ${worldAddress}`,
    `route add 169.254.169.254/32 via ${worldAddress}`,
  ])
    await run(['ip', ...line.split(' ')])
  for (const line of [
    'link set lo up',
    `address add ${worldAddress}/24 dev eth0`,
    'address add 169.254.169.254/32 dev eth0',
    'link set eth0 up',
  ])
    await world(['ip', ...line.split(' ')])

  function start(argv: string[], stdout: 'ignore' | 'pipe' = 'ignore'): ChildProcess {
    const [file = '', ...args] = argv
    const child = spawn(file, args, { stdio: ['ignore', stdout, 'inherit'] })
    started.add(child)
    child.once('exit', () => started.delete(child))
    return child
  }

  async function end(child: ChildProcess): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGKILL')
    await once(child, 'exit')
  }

  async function serveBy(prefix: string[], text: string, port: number, at = '0.0.0.0'): Promise<void> {
    const argv = [...prefix, process.execPath, serverFile, text, String(port), at]
    const child = start(argv, 'pipe')
    const [said] = child.stdout ? await once(child.stdout, 'data') : []
    if (String(said) !== 'ready\n') throw new Error(`${text} does not listen on ${port}: ${said}`)
  }

  /** What a server said there; null when it does not answer. */
  async function ask(prefix: string[], to: string, port: number, protocol = 'tcp'): Promise<string | null> {
    const said = await onRealHost([...prefix, process.execPath, askFile, protocol, to, String(port)]).catch(
      () => '',
    )
    return said.trim() || null
  }

  let engine = await startEngine()

  async function startEngine() {
    const parts = { stateDir: folder, runDir: join(folder, 'run'), instance, pool, allowedHostPorts }
    const prepared = ['netns', 'exec', name, 'sh', '-ec', `${prepare}\nexec "$@"`, 'sh']
    const child = spawn('ip', [...prepared, process.execPath, childFile, JSON.stringify(parts)], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      serialization: 'advanced',
    })
    child.setMaxListeners(0)
    await once(child, 'message')
    let lastId = 0
    const networks = new Proxy({} as RemoteNetworks, {
      get:
        (_, method) =>
        async (...args: unknown[]) => {
          const id = ++lastId
          const answer = new Promise<unknown>((resolve, reject) => {
            const gone = () => reject(new Error('the process of the networks ended'))
            child.once('exit', gone)
            child.on(
              'message',
              function take(reply: {
                id: number
                value?: unknown
                error?: { kind: EngineErrorKind; message: string }
              }) {
                if (reply.id !== id) return
                child.off('message', take)
                child.off('exit', gone)
                if (reply.error) reject(new EngineError(reply.error.kind, reply.error.message))
                else resolve(reply.value)
              },
            )
          })
          child.send({ id, method, args })
          return answer
        },
    })
    await networks.recover(new Map([...containers].map(([id, { pid }]) => [id, pid])))
    return { child, networks }
  }

  async function stopEngine(kill: boolean): Promise<void> {
    if (!kill) await engine.networks.close()
    if (kill) engine.child.kill('SIGKILL')
    else engine.child.disconnect()
    if (engine.child.exitCode === null && engine.child.signalCode === null) await once(engine.child, 'exit')
  }

  const prefixOf = (where: 'host' | 'world' | number) =>
    typeof where === 'number'
      ? ['nsenter', `--net=/proc/${where}/ns/net`]
      : ['ip', 'netns', 'exec', where === 'host' ? name : worldName]

  return {
    get networks() {
      return engine.networks
    },
    get pid() {
      return engine.child.pid ?? 0
    },
    instance,
    run,
    world,
    address,
    worldAddress,
    start: (where, argv) => start([...prefixOf(where), ...argv]),
    serve: (where, text, port, at) => serveBy(prefixOf(where), text, port, at),
    ask: (where, to, port, protocol) => ask(prefixOf(where), to, port, protocol),
    async container(id, network, more = {}) {
      await engine.networks.reserve(id, network, { names: [id], ...more })
      const child = start(['unshare', '--net', 'sleep', '1000'])
      const pid = child.pid ?? 0
      const own = ['nsenter', `--net=/proc/${pid}/ns/net`]
      await until(`the namespace of ${id} is there`, () => commandLine(pid)[0] === 'sleep')
      await engine.networks.connect(id, pid).catch(async (error) => {
        await engine.networks.release(id)
        throw error
      })
      const { address: ownAddress } = await engine.networks.placeOf(id)
      const container: FakeContainer = {
        id,
        pid,
        address: ownAddress,
        run: (argv, more) => onRealHost([...own, ...argv], more),
        ask: (to, port, protocol) => ask(own, to, port, protocol),
        serve: (port, at) => serveBy(own, id, port, at),
        async stop() {
          containers.delete(id)
          await engine.networks.release(id)
          await end(child)
        },
      }
      containers.set(id, container)
      return container
    },
    async unguarded(work) {
      const tables = ['bridge', 'inet'].map((family) => `${family} berth_${instance}`)
      engine.child.kill('SIGSTOP')
      try {
        for (const table of tables) await run(['nft', 'delete', 'table', ...table.split(' ')])
        return await work()
      } finally {
        engine.child.kill('SIGCONT')
        await until('the firewall is back', async () => {
          const there = await run(['nft', 'list', 'tables'])
          return tables.every((table) => there.includes(table))
        })
      }
    },
    async restart({ kill = false, ending = [] } = {}) {
      await stopEngine(kill)
      for (const { id, pid } of ending) {
        containers.delete(id)
        process.kill(pid, 'SIGKILL')
        await until(`${id} has ended`, () => processStart(pid) === null)
      }
      engine = await startEngine()
    },
    async close() {
      let left: string[] = []
      try {
        for (const container of [...containers.values()]) await container.stop()
        for (const { name: each } of await engine.networks.list()) await engine.networks.remove(each)
        await stopEngine(false)
        for (const child of [...started]) await end(child)
        // What is left of the engine would be in its folder.
        // The one that starts others ends by itself, a moment after us.
        left = processesWith(folder).filter((line) => !line.includes('spawner-child'))
      } finally {
        // A test that failed may have left an engine that can't: the host goes all the same.
        await killProcesses((argv) => argv.join(' ').includes(folder))
        for (const each of [name, worldName]) await onRealHost(['ip', 'netns', 'delete', each])
        rmSync(`/etc/netns/${name}`, { recursive: true, force: true })
        rmSync(folder, { recursive: true, force: true })
      }
      if (left.length > 0) throw new Error(`processes were left: ${left.join('\n')}`)
    },
  }
}

function processesWith(word: string): string[] {
  return readdirSync('/proc')
    .filter((pid) => /^\d+$/.test(pid) && processStart(Number(pid)) !== null)
    .map((pid) => commandLine(Number(pid)).join(' '))
    .filter((line) => line.includes(word))
}
