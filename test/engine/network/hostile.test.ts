/** What the world and a hostile container try, beyond what the suite of networks asks for. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type FakeContainer, type PrivateHost, startPrivateHost } from '../../support/private-host.ts'
import { until } from '../../support/until.ts'

const askName = new URL('../../support/ask-name.ts', import.meta.url).pathname
const noSuchName = { code: 3, answers: [] }
const pool = '10.92.0.0/22'
let host: PrivateHost
let one: FakeContainer
let two: FakeContainer
let gateway: string

beforeAll(async () => {
  host = await startPrivateHost({ pool })
  await host.run(['ip', 'route', 'add', '10.92.0.0/24', 'via', host.worldAddress])
  one = await host.container('one', 'first')
  two = await host.container('two', 'first')
  gateway = (await host.networks.inspect('first')).gateway
})
afterAll(() => host?.close())

async function lookUp(name: string) {
  const said = await one.run([process.execPath, askName, gateway, name, 'A', 'udp'])
  return JSON.parse(said) as { code: number; answers: { address: string }[] }
}

const pings = (to: string, more: string[] = []) =>
  one.run(['busybox', 'ping', '-c', '1', '-W', '1', ...more, to]).then(
    () => true,
    () => false,
  )

test('names of the world are asked for, and can stand for nothing that is near', async () => {
  const names = { good: host.worldAddress, here: '127.0.0.1', near: '10.92.1.7', meta: '169.254.169.254' }
  const answers = Object.entries(names).map(([name, address]) => `--address=/${name}.test/${address}`)
  host.start('world', [
    'dnsmasq',
    '--conf-file=/dev/null',
    '--no-resolv',
    '--no-hosts',
    '--keep-in-foreground',
    '--bind-interfaces',
    `--listen-address=${host.worldAddress}`,
    ...answers,
  ])
  await until(
    'the world has a name server',
    async () => (await lookUp('good.test')).answers[0]?.address === host.worldAddress,
  )
  for (const name of ['here.test', 'near.test', 'meta.test', 'good'])
    expect(await lookUp(name), name).toEqual(noSuchName)
  await host.networks.update('first', { egress: 'none' })
  expect(await lookUp('good.test')).toEqual(noSuchName)
  expect((await lookUp('two')).answers[0]?.address).toBe(two.address)
  await host.networks.update('first', { egress: 'all' })
})

test('IPv6 and frames to the addresses of bridge protocols go nowhere', async () => {
  await host.serve('host', 'service', 5432)
  expect(await pings(two.address)).toBe(true)
  const local =
    (await two.run(['ip', '-6', '-oneline', 'address', 'show', 'dev', 'eth0'])).match(/fe80\S+(?=\/)/)?.[0] ??
    ''
  expect(local).toMatch(/^fe80/)
  await until(
    'the address may be used',
    async () => !(await two.run(['ip', '-6', 'address', 'show', 'dev', 'eth0'])).includes('tentative'),
  )
  expect(await pings(local, ['-6', '-I', 'eth0'])).toBe(false)
  // A bridge hands such frames to the host as if they came in by the link: neither our bridge nor a neighbour.
  await one.run(['ip', 'neighbour', 'replace', gateway, 'lladdr', '01:80:c2:00:00:0e', 'dev', 'eth0'])
  expect(await one.ask(gateway, 5432, 'udp')).toBeNull()
  await one.run(['ip', 'neighbour', 'delete', gateway, 'dev', 'eth0'])
  const { bridge } = await host.networks.inspect('first')
  expect((await host.run(['cat', `/proc/sys/net/ipv6/conf/${bridge}/disable_ipv6`])).trim()).toBe('1')
})

test('ranges that the host routes elsewhere are left alone, and it is said when none is left', async () => {
  await host.networks.ensure('second')
  await host.networks.ensure('third')
  const subnets = (await host.networks.list()).map(({ subnet }) => subnet)
  expect(subnets).toEqual(['10.92.1.0/24', '10.92.2.0/24', '10.92.3.0/24'])
  await expect(host.networks.ensure('fourth')).rejects.toMatchObject({
    kind: 'limit-exceeded',
    message: expect.stringMatching(
      /no address range is left for network fourth: all of 10\.92\.0\.0\/22 is taken/,
    ),
  })
})
