import { afterAll, beforeAll, expect, test } from 'vitest'
import { type FakeContainer, type PrivateHost, startPrivateHost } from '../../support/private-host.ts'

let host: PrivateHost
let one: FakeContainer
let neighbour: FakeContainer
let other: FakeContainer
const edgePort = 4080
/** Where clouds answer questions about the machine; the world of this host has them all. */
const metadata = ['169.254.169.254', '169.254.170.2', '100.100.100.200', '168.63.129.16', '192.0.0.192']

beforeAll(async () => {
  host = await startPrivateHost({ allowedHostPorts: [edgePort] })
  one = await host.container('one', 'mine')
  neighbour = await host.container('neighbour', 'mine')
  other = await host.container('other', 'theirs')
  for (const container of [one, neighbour, other]) await container.serve(80)
  await host.serve('host', 'edge', edgePort)
  await host.serve('host', 'database', 5432)
  await host.serve('host', 'local', 6379, '127.0.0.1')
  await host.serve('world', 'world', 80)
  for (const address of metadata.slice(1)) {
    await host.world(['ip', 'address', 'add', `${address}/32`, 'dev', 'eth0'])
    await host.run(['ip', 'route', 'add', `${address}/32`, 'via', host.worldAddress])
  }
})
afterAll(() => host?.close())

const pings = (from: FakeContainer, to: string, more: string[] = []) =>
  from.run(['busybox', 'ping', '-c', '1', '-W', '1', ...more, to]).then(
    () => true,
    () => false,
  )

test('a container reaches its network, the edge and the world; not the host, other networks or metadata', async () => {
  const { gateway } = await host.networks.inspect('mine')
  const { gateway: otherGateway } = await host.networks.inspect('theirs')
  const may = [
    [neighbour.address, 80],
    [gateway, edgePort],
    [host.address, edgePort],
    [host.worldAddress, 80],
  ] as const
  const mayNot = [
    [other.address, 80],
    [gateway, 5432],
    [otherGateway, 5432],
    [host.address, 5432],
    ['127.0.0.1', 6379],
    ...metadata.map((address) => [address, 80] as const),
  ] as const
  const answers = (targets: readonly (readonly [string, number])[]) =>
    Promise.all(targets.map(([address, port]) => one.ask(address, port)))
  expect(await answers(may)).toEqual(['neighbour', 'edge', 'edge', 'world'])
  expect(await answers(mayNot)).toEqual(mayNot.map(() => null))
  expect(await Promise.all(metadata.map((address) => host.ask('host', address, 80)))).toEqual(
    metadata.map(() => 'world'),
  )
  // The host itself, where the edge is, reaches every container.
  expect(await host.ask('host', other.address, 80)).toBe('other')
  // And the world none, even if it is told the way.
  await host.world(['ip', 'route', 'add', '10.91.0.0/16', 'via', host.address])
  expect(await host.ask('world', one.address, 80)).toBeNull()
})

test('a range that may be reached holds no other network and not the host, whatever lies in it', async () => {
  await host.networks.update('mine', { egress: ['0.0.0.0/0'] })
  const { gateway } = await host.networks.inspect('theirs')
  expect(await one.ask(host.worldAddress, 80)).toBe('world')
  expect(await Promise.all([other.address, ...metadata].map((address) => one.ask(address, 80)))).toEqual(
    [other.address, ...metadata].map(() => null),
  )
  expect(await Promise.all([gateway, host.address].map((address) => one.ask(address, 5432)))).toEqual([
    null,
    null,
  ])
  await host.networks.update('mine', { egress: 'all' })
})

// The last one: it leaves the container with an address that nobody hears.
test('an address or hardware address that is not its own gets a container nowhere', async () => {
  expect(await pings(one, neighbour.address)).toBe(true)
  const free = one.address.replace(/\d+$/, '77')
  await one.run(['ip', 'address', 'add', `${free}/24`, 'dev', 'eth0'])
  // To a neighbour, to the gateway, and under a foreign source to the world.
  for (const to of [neighbour.address, one.address.replace(/\d+$/, '1'), host.worldAddress]) {
    expect(await pings(one, to), to).toBe(true)
    expect(await pings(one, to, ['-I', free]), to).toBe(false)
  }
  await one.run(['ip', 'address', 'delete', `${free}/24`, 'dev', 'eth0'])
  await one.run(['ip', 'link', 'set', 'eth0', 'address', '0a:58:0a:00:00:01'])
  expect(await pings(one, neighbour.address)).toBe(false)
})
