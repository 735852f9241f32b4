import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ContainerSpec } from '../../../engine/index.ts'
import { instanceOf, outputOf, startEngine, type TestEngine } from '../../support/engine.ts'
import { until } from '../../support/until.ts'

let first: TestEngine
let second: TestEngine
let allowed: Server
let forbidden: Server

async function serve(): Promise<Server> {
  const server = createServer((socket) => socket.on('error', () => {}).end('host\n'))
  await new Promise<void>((resolve) => server.listen(0, '0.0.0.0', resolve))
  return server
}

function portOf(server: Server): number {
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}

/** A network namespace beyond the host, which serves on an address of its own and on one of cloud metadata. */
function startWorld() {
  const ip = (text: string) => execFileSync('ip', text.split(' '))
  const name = `world${process.pid}`
  const [a, b] = [Math.floor(process.pid / 250) % 250, process.pid % 250]
  const address = `198.18.${b}.2`
  const metadata = `169.254.${a}.${b + 1}`
  ip(`netns add ${name}`)
  ip(`link add ${name} type veth peer name eth0 netns ${name}`)
  ip(`address add 198.18.${b}.1/24 dev ${name}`)
  ip(`link set ${name} up`)
  for (const own of [`${address}/24`, `${metadata}/32`]) ip(`-n ${name} address add ${own} dev eth0`)
  ip(`-n ${name} link set eth0 up`)
  ip(`route add ${metadata}/32 via ${address}`)
  const httpd = spawn('ip', ['netns', 'exec', name, 'busybox', 'httpd', '-f', '-p', '80', '-h', tmpdir()])
  return {
    address,
    metadata,
    async stop() {
      if (httpd.kill('SIGKILL')) await once(httpd, 'exit')
      ip(`netns delete ${name}`)
    },
  }
}

beforeAll(async () => {
  ;[allowed, forbidden] = await Promise.all([serve(), serve()])
  first = await startEngine({ allowedHostPorts: [portOf(allowed)] })
  // Side by side on purpose: the same pool, nothing known of each other.
  second = await startEngine()
})
afterAll(async () => {
  for (const host of [first, second]) await host?.close()
  for (const server of [allowed, forbidden]) server.close()
})

async function start(host: TestEngine, changes: Partial<ContainerSpec>) {
  const spec = host.spec(changes)
  await host.engine.containers.create(spec)
  return host.engine.containers.start(spec.id)
}

const server = (network: string, aliases: string[]) => ({
  network,
  aliases,
  command: ['/bin/sh', '-c', 'echo served > /tmp/index.html; exec httpd -f -p 80 -h /tmp'],
})

/** Which of these addresses answer from inside a container of the network. */
async function answering(host: TestEngine, network: string, targets: string[]): Promise<string[]> {
  const attempts = targets.map(
    (target) => `nc -w 3 ${target.replace(':', ' ')} -e true </dev/null 2>/dev/null && echo ${target}`,
  )
  const { id } = await start(host, { network, command: ['/bin/sh', '-c', attempts.join('\n')] })
  return outputOf(host.engine, id)
}

test('a network reaches its own by name, and neither other networks, other engines nor the host', async () => {
  const mine = await start(first, server('one', ['web']))
  const other = await start(first, server('two', ['web', 'only-two']))
  const foreign = await start(second, server('one', ['foreign']))
  expect(new Set([mine, other, foreign].map(({ address }) => address.split('.')[2])).size).toBe(3)
  // The host itself, where the edge is, reaches every container.
  for (const { address } of [mine, other, foreign])
    await until(`${address} serves`, async () => {
      return (await (await fetch(`http://${address}/index.html`)).text()) === 'served\n'
    })
  const [one] = (await first.engine.networks.list()).filter(({ name }) => name === 'one')
  const reachable = await answering(first, 'one', [
    `${mine.address}:80`,
    'web:80',
    `${mine.id}:80`,
    `${other.address}:80`,
    'only-two:80',
    `${foreign.address}:80`,
    `${one?.gateway}:${portOf(allowed)}`,
    `${one?.gateway}:${portOf(forbidden)}`,
  ])
  expect(reachable).toEqual([
    `${mine.address}:80`,
    'web:80',
    `${mine.id}:80`,
    `${one?.gateway}:${portOf(allowed)}`,
  ])
})

test('the world is reachable, addresses of cloud metadata are not, also after others flushed the rules', async () => {
  const world = startWorld()
  try {
    const reached = () => answering(first, 'out', [`${world.address}:80`, `${world.metadata}:80`])
    await until('the world serves', async () => (await reached()).includes(`${world.address}:80`))
    expect(await reached()).toEqual([`${world.address}:80`])
    // What a restart of nftables.service does to us.
    execFileSync('nft', ['delete', 'table', 'inet', `berth_${instanceOf(first.stateDir)}`])
    // Without our rules nobody translates its address either.
    await until('the rules are back', async () => (await reached()).includes(`${world.address}:80`))
    expect(await reached()).toEqual([`${world.address}:80`])
  } finally {
    await world.stop()
  }
})

test('a name follows its container: gone when it stops, back at the same address', async () => {
  const target = await start(first, server('names', ['api']))
  const lookUp = async () => {
    const { id } = await start(first, { network: 'names', command: ['/bin/nslookup', 'api'] })
    return (await outputOf(first.engine, id)).join('\n')
  }
  expect(await lookUp()).toContain(target.address)
  await first.engine.containers.stop(target.id, { graceMs: 0 })
  expect(await lookUp()).not.toContain(target.address)
  const again = await first.engine.containers.start(target.id)
  expect(again.address).toBe(target.address)
  expect(await lookUp()).toContain(target.address)
})

test('a network goes only when nobody is attached', async () => {
  const { name, bridge } = await first.engine.networks.ensure('short-lived')
  expect(bridge.length).toBeLessThanOrEqual(15)
  expect(await first.engine.networks.ensure(name)).toMatchObject({ bridge })
  const spec = first.spec({ network: name })
  await first.engine.containers.create(spec)
  await expect(first.engine.networks.remove(name)).rejects.toMatchObject({ kind: 'failed-precondition' })
  await first.engine.containers.remove(spec.id)
  await first.engine.networks.remove(name)
  await first.engine.networks.remove(name)
  expect((await first.engine.networks.list()).map((network) => network.name)).not.toContain(name)
})
