/** What the world and a hostile container try, beyond what the suite of networks asks for. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { hardwareAddress } from '../../../engine/network/links.ts'
import {
  arpReply,
  everybody,
  everyIpv6Node,
  type Frame,
  neighbourAdvertisement,
  routerAdvertisement,
  tagged,
  udp4,
} from '../../support/frames.ts'
import {
  type FakeContainer,
  type PrivateHost,
  type Run,
  startPrivateHost,
} from '../../support/private-host.ts'
import { until } from '../../support/until.ts'

const askName = new URL('../../support/ask-name.ts', import.meta.url).pathname
const framesFile = new URL('../../support/frames.pl', import.meta.url).pathname
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

async function lookUp(name: string, protocol = 'udp', type = 'A') {
  const said = await one.run([process.execPath, askName, gateway, name, type, protocol])
  return JSON.parse(said) as { code: number; answers: { address: string }[] }
}

/** The link-local address, once it may be used. */
const linkLocalOf = (run: Run, device: string) =>
  until(`${device} has an IPv6 address`, async () => {
    const said = await run(['ip', '-6', '-oneline', 'address', 'show', 'dev', device])
    return !said.includes('tentative') && said.match(/fe80\S+(?=\/)/)?.[0]
  })

const framesAt = (pid: number, argv: string[]) =>
  spawn('nsenter', [`--net=/proc/${pid}/ns/net`, 'perl', framesFile, ...argv], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })

/** Frames that come in, as they will be known once one with the word `last` was among them. */
async function hear(pid: number, device: string, last: string): Promise<{ frames: Promise<string[]> }> {
  const child = framesAt(pid, ['hear', device, last])
  const lines: string[] = []
  const closed = once(child, 'close')
  await new Promise<void>((resolve, reject) => {
    createInterface(child.stdout).on('line', (line) => (line === 'ready' ? resolve() : lines.push(line)))
    child.once('exit', () => reject(new Error(`nobody listens at ${device}`)))
  })
  return { frames: closed.then(() => lines) }
}

async function send(pid: number, device: string, frames: Frame[], seconds = 0): Promise<void> {
  const child = framesAt(pid, ['send', device, String(seconds)])
  child.stdin.end(frames.map(({ hex }) => `${hex}\n`).join(''))
  expect((await once(child, 'close'))[0]).toBe(0)
}

const pings = (to: string, more: string[] = []) =>
  one.run(['busybox', 'ping', '-c', '1', '-W', '1', ...more, to]).then(
    () => true,
    () => false,
  )

test('names of the world are asked for, and can stand for nothing that is near', async () => {
  const names = { good: host.worldAddress, here: '127.0.0.1', near: '10.92.1.7', meta: '169.254.169.254' }
  const many = Array.from({ length: 80 }, (_, at) => `--host-record=many.test,203.0.113.${at + 1}`)
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
    ...many,
  ])
  await until(
    'the world has a name server',
    async () => (await lookUp('good.test')).answers[0]?.address === host.worldAddress,
  )
  // More than a packet holds: the rest is asked for by TCP.
  expect((await lookUp('many.test')).answers.length).toBeLessThan(80)
  expect((await lookUp('many.test', 'tcp')).answers).toHaveLength(80)
  for (const name of ['here.test', 'near.test', 'meta.test', 'good'])
    expect(await lookUp(name), name).toEqual(noSuchName)
  // Nor does the server say what it is, or whom it asks.
  for (const name of ['version.bind', 'servers.bind', 'cachesize.bind'])
    expect((await lookUp(name, 'udp', 'CHAOS')).answers, name).toEqual([])
  await host.networks.update('first', { egress: 'none' })
  expect(await lookUp('good.test')).toEqual(noSuchName)
  expect((await lookUp('two')).answers[0]?.address).toBe(two.address)
  await host.networks.update('first', { egress: 'all' })
})

test('IPv6 goes nowhere: not to a neighbour, and not to the host even where it has an address', async () => {
  const { bridge } = await host.networks.inspect('first')
  const switchOf = `net.ipv6.conf.${bridge}.disable_ipv6`
  expect((await host.run(['sysctl', '-n', switchOf])).trim()).toBe('1')
  await host.run(['sysctl', '-q', '-w', `${switchOf}=0`])
  const targets = [await linkLocalOf(two.run, 'eth0'), await linkLocalOf(host.run, bridge)]
  await linkLocalOf(one.run, 'eth0')
  const reached = async () => {
    // What it did not find before, it would ask for again only after a while.
    await one.run(['ip', 'neighbour', 'flush', 'dev', 'eth0'])
    return Promise.all(targets.map((target) => pings(target, ['-6', '-I', 'eth0'])))
  }
  expect(await pings(two.address)).toBe(true)
  expect(await reached()).toEqual([false, false])
  await host.unguarded(async () => expect(await reached()).toEqual([true, true]))
  expect(await reached()).toEqual([false, false])
  await host.run(['sysctl', '-q', '-w', `${switchOf}=1`])
})

test('frames to the addresses of bridge protocols reach no service of the host', async () => {
  await host.serve('host', 'service', 5432)
  // A bridge hands such frames to the host as if they came in by the link: neither our bridge nor a neighbour.
  await one.run(['ip', 'neighbour', 'replace', gateway, 'lladdr', '01:80:c2:00:00:0e', 'dev', 'eth0'])
  expect(await one.ask(gateway, 5432, 'udp')).toBeNull()
  await host.unguarded(async () => expect(await one.ask(gateway, 5432, 'udp')).toBe('service'))
  await one.run(['ip', 'neighbour', 'delete', gateway, 'dev', 'eth0'])
})

test('to what is published on loopback the host is led by loopback, and no container that sends there', async () => {
  const port = { hostAddress: '127.0.0.1', hostPort: 15380, containerPort: 7, protocol: 'udp' } as const
  const target = await host.container('target', 'first', { ports: [port] })
  await target.serve(7)
  expect(await host.ask('host', '127.0.0.1', port.hostPort, 'udp')).toBe('target')
  const from = hardwareAddress(one.address)
  const text = 'by loopback'
  const there = { from: one.address, to: '127.0.0.1', fromPort: 9, toPort: port.hostPort, text }
  const last = { from: one.address, to: target.address, fromPort: 9, toPort: 9, text: 'this is all' }
  const ear = await hear(target.pid, 'eth0', last.text)
  await send(one.pid, 'eth0', [
    { what: text, hex: udp4({ from, to: hardwareAddress(gateway) }, there) },
    { what: last.text, hex: udp4({ from, to: hardwareAddress(target.address) }, last) },
  ])
  const found = (await ear.frames).filter((frame) => frame.includes(Buffer.from(text).toString('hex')))
  expect(found).toEqual([])
  await target.stop()
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

test('while the firewall is changed again and again, nothing gets through that never may', async () => {
  const other = await host.container('other', 'second')
  const across = {
    what: 'to another network',
    hex: udp4(
      { from: hardwareAddress(one.address), to: hardwareAddress(gateway) },
      { from: one.address, to: other.address, fromPort: 7, toPort: 7, text: 'across' },
    ),
  }
  const heard = async (count: number, change: () => Promise<unknown>) => {
    const { frames } = await hear(other.pid, 'eth0', 'this is all')
    await Promise.all([send(one.pid, 'eth0', Array(count).fill(across), 0.001), change()])
    await host.run(['bash', '-c', `echo this is all >/dev/udp/${other.address}/7`])
    const word = Buffer.from('across').toString('hex')
    return (await frames).filter((frame) => frame.includes(word)).length
  }
  const changes = async () => {
    for (let time = 0; time < 20; time++)
      await host.networks.update('first', { egress: time % 2 === 0 ? ['203.0.113.0/24'] : 'all' })
  }
  expect(await heard(1_500, changes)).toBe(0)
  await host.unguarded(async () => expect(await heard(3, async () => {})).toBeGreaterThanOrEqual(3))
  await other.stop()
})

test('what it says of who is where, or gives out as a router or by DHCP, nobody hears', async () => {
  const { bridge } = await host.networks.inspect('first')
  const [mine, twos] = [hardwareAddress(one.address), hardwareAddress(two.address)]
  const loud = { from: mine, to: everybody }
  const ports = { from: one.address, to: '255.255.255.255', fromPort: 67, toPort: 68 }
  const hello = { from: one.address, to: '255.255.255.255', fromPort: 7, toPort: 7 }
  const hostile: Frame[] = [
    { what: 'ARP: I am the gateway', hex: arpReply(loud, gateway, mine) },
    { what: 'ARP: I am the neighbour', hex: arpReply(loud, two.address, mine) },
    { what: 'ARP: I am where the neighbour is', hex: arpReply(loud, one.address, twos) },
    {
      what: 'ARP under the gateway',
      hex: arpReply({ ...loud, from: '0a:58:00:00:00:07' }, one.address, mine),
    },
    { what: 'IPv4 under another address', hex: udp4(loud, { ...hello, from: two.address, text: 'spoofed' }) },
    { what: 'IPv4 of another sender', hex: udp4({ ...loud, from: twos }, { ...hello, text: 'other mac' }) },
    { what: 'IPv4 of no address', hex: udp4(loud, { ...hello, from: '0.0.0.0', text: 'nobody' }) },
    { what: 'a DHCP offer', hex: udp4(loud, { ...ports, text: 'a lease for you' }) },
    { what: 'a router advertisement', hex: routerAdvertisement({ from: mine, to: everyIpv6Node }) },
    { what: 'a neighbour advertisement', hex: neighbourAdvertisement({ from: mine, to: everyIpv6Node }) },
    { what: 'a VLAN tag', hex: tagged(udp4(loud, { ...hello, text: 'tagged' }), 5) },
  ]
  const last: Frame = { what: 'its own hello', hex: udp4(loud, { ...hello, text: 'this is all' }) }
  const heard = async () => {
    const ears = [await hear(two.pid, 'eth0', 'this is all'), await hear(host.pid, bridge, 'this is all')]
    await send(one.pid, 'eth0', [...hostile, last])
    return Promise.all(
      ears.map(async (ear) => {
        const frames = await ear.frames
        // The kernel takes a tag off before it shows the frame.
        const came = ({ hex }: Frame) =>
          frames.some((frame) => frame.includes(hex.replace(/81000005/, '').slice(24)))
        return [...hostile, last].filter(came).map(({ what }) => what)
      }),
    )
  }
  expect(await heard()).toEqual([[last.what], [last.what]])
  const all = [...hostile, last].map(({ what }) => what)
  await host.unguarded(async () => expect(await heard()).toEqual([all, all]))
  // They believed it.
  await two.run(['ip', 'neighbour', 'flush', 'dev', 'eth0'])
  await host.run(['ip', 'neighbour', 'flush', 'dev', bridge])
})
