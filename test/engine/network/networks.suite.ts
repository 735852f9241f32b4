/** What every implementation of networks keeps to. A new one is one test file that passes a factory. */
import { readdirSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { commandLine } from '../../../engine/sys/processes.ts'
import type { FakeContainer, PrivateHost } from '../../support/private-host.ts'
import { until } from '../../support/until.ts'

const askName = new URL('../../support/ask-name.ts', import.meta.url).pathname
const askLine = new URL('../../support/ask-line.ts', import.meta.url).pathname
const noError = 0
const noSuchName = 3

interface NameAnswer {
  code: number
  answers: { type: number; ttl: number; address: string }[]
}

/** What the container's own name server says. */
async function lookUp(from: FakeContainer, gateway: string, name: string, type = 'A', protocol = 'udp') {
  const said = await from.run([process.execPath, askName, gateway, name, type, protocol])
  return JSON.parse(said) as NameAnswer
}

async function addressesOf(
  from: FakeContainer,
  gateway: string,
  name: string,
  protocol = 'udp',
): Promise<string[]> {
  const { answers } = await lookUp(from, gateway, name, 'A', protocol)
  return answers.map(({ address }) => address).sort()
}

/** Processes that answer for names on a bridge. */
const nameServersOf = (bridge: string) =>
  readdirSync('/proc').filter((pid) => {
    const argv = /^\d+$/.test(pid) ? commandLine(Number(pid)) : []
    return argv[0] === 'dnsmasq' && argv.includes(`--interface=${bridge}`)
  })

export function networksSuite(startHost: () => Promise<PrivateHost>): void {
  describe('networks', () => {
    let host: PrivateHost
    beforeAll(async () => {
      host = await startHost()
    })
    afterAll(() => host?.close())

    test('one is made once, told with all that is on it, and goes when nobody is', async () => {
      const made = await host.networks.create('made', { egress: ['10.0.0.0/8'] })
      expect(made).toMatchObject({ name: 'made', egress: ['10.0.0.0/8'] })
      expect(made.bridge.length).toBeLessThanOrEqual(15)
      await expect(host.networks.create('made')).rejects.toMatchObject({ kind: 'already-exists' })
      await expect(host.networks.create('A b')).rejects.toMatchObject({ kind: 'invalid' })
      await expect(host.networks.create('x', { egress: ['10.0.0.0/33'] })).rejects.toMatchObject({
        kind: 'invalid',
      })
      await expect(host.networks.inspect('x')).rejects.toMatchObject({ kind: 'not-found' })
      const container = await host.container('on-made', 'made', { names: ['on-made', 'alias'] })
      expect((await host.networks.inspect('made')).attachments).toEqual([
        {
          container: 'on-made',
          network: 'made',
          address: container.address,
          interface: 'eth0',
          names: ['on-made', 'alias'],
          connected: true,
        },
      ])
      await expect(host.networks.remove('made')).rejects.toMatchObject({ kind: 'failed-precondition' })
      await container.stop()
      await host.networks.remove('made')
      await host.networks.remove('made')
      expect((await host.networks.list()).map(({ name }) => name)).not.toContain('made')
    })

    test('one can be made again as soon as it went', async () => {
      for (let round = 0; round < 30; round++) {
        await host.networks.create('again')
        await host.networks.remove('again')
      }
    })

    test('an address rests when it is given back, and there are as many as a network has, each once', async () => {
      const reserve = (count: number) => host.networks.reserve(`r${count}`, 'full', { names: [] })
      const addressOf = async (count: number) => (await host.networks.placeOf(`r${count}`)).address
      await reserve(0)
      const first = await addressOf(0)
      await host.networks.release('r0')
      await Promise.all(Array.from({ length: 253 }, (_, count) => reserve(count + 1)))
      const all = await Promise.all(Array.from({ length: 253 }, (_, count) => addressOf(count + 1)))
      expect(new Set(all).size).toBe(253)
      expect(all.at(-1)).toBe(first)
      await expect(reserve(254)).rejects.toMatchObject({
        kind: 'limit-exceeded',
        message: expect.stringMatching(/no free address/),
      })
      await Promise.all(Array.from({ length: 253 }, (_, count) => host.networks.release(`r${count + 1}`)))
      await host.networks.remove('full')
    })

    test('a container is attached to one more network while it runs, and taken off again', async () => {
      const walker = await host.container('walker', 'home')
      const mate = await host.container('mate', 'home')
      const friend = await host.container('friend', 'away', { names: ['friend', 'only.away'] })
      await friend.serve(80)
      const { gateway } = await host.networks.inspect('home')
      expect(await walker.ask(friend.address, 80)).toBeNull()
      expect(await addressesOf(walker, gateway, 'friend')).toEqual([])
      const attached = await host.networks.attach('walker', 'away', { aliases: ['guest'] })
      expect(attached).toMatchObject({ interface: 'eth1', connected: true, names: ['walker', 'guest'] })
      expect(await host.networks.attach('walker', 'away')).toEqual(attached)
      expect(await walker.ask(friend.address, 80)).toBe('friend')
      // Names of both, where it has asked since it was started; and only it.
      await until('both', async () => (await addressesOf(walker, gateway, 'friend')).length === 1)
      expect(await addressesOf(walker, gateway, 'only.away', 'tcp')).toEqual([friend.address])
      expect(await addressesOf(walker, gateway, 'mate')).toEqual([mate.address])
      expect(await addressesOf(mate, gateway, 'friend')).toEqual([])
      expect(await mate.ask(friend.address, 80)).toBeNull()
      await host.networks.detach('walker', 'away')
      await host.networks.detach('walker', 'away')
      expect(await walker.ask(friend.address, 80)).toBeNull()
      expect(await addressesOf(walker, gateway, 'friend')).toEqual([])
      // Off its own network it is alone, and back on it as before.
      await host.networks.detach('walker', 'home')
      expect((await host.networks.placeOf('walker')).address).toBe(walker.address)
      expect(await walker.run(['ip', '-oneline', 'link', 'show'])).not.toContain('eth0')
      expect(await addressesOf(mate, gateway, 'walker')).toEqual([])
      expect(await host.networks.attach('walker', 'home')).toMatchObject({
        interface: 'eth0',
        address: walker.address,
      })
      await until(
        'named again',
        async () => (await addressesOf(mate, gateway, 'walker'))[0] === walker.address,
      )
      await expect(host.networks.attach('nobody', 'home')).rejects.toMatchObject({ kind: 'not-found' })
      await expect(host.networks.attach('walker', 'nowhere')).rejects.toMatchObject({ kind: 'not-found' })
      for (const container of [walker, mate, friend]) await container.stop()
    })

    test('replicas answer to one name in turns, by UDP and TCP; it has no IPv6 address, and is forgotten at once', async () => {
      const replicas = await Promise.all(
        [1, 2, 3].map((count) => host.container(`web-${count}`, 'shop', { names: ['web', 'web.shop'] })),
      )
      const [one] = replicas
      if (!one) throw new Error('no replica')
      const { gateway } = await host.networks.inspect('shop')
      const all = replicas.map(({ address }) => address).sort()
      for (const protocol of ['udp', 'tcp'])
        await until(
          'all replicas',
          async () => (await addressesOf(one, gateway, 'web', protocol)).join() === all.join(),
        )
      const firsts = new Set<string>()
      await until('each comes first', async () => {
        const { answers } = await lookUp(one, gateway, 'web')
        for (const { ttl } of answers) expect(ttl).toBeLessThanOrEqual(5)
        firsts.add(answers[0]?.address ?? '')
        return firsts.size === 3
      })
      for (const name of ['web', 'web.shop'])
        expect(await lookUp(one, gateway, name, 'AAAA')).toEqual({ code: noError, answers: [] })
      expect(await lookUp(one, gateway, 'nobody')).toEqual({ code: noSuchName, answers: [] })
      await host.networks.disconnect('web-3')
      await until('forgotten', async () => (await addressesOf(one, gateway, 'web')).length === 2, 5_000)
      for (const container of replicas) await container.stop()
    })

    test('what may leave is narrowed to ranges or to nothing, also for who is connected already', async () => {
      await host.serve('world', 'world', 8088)
      const container = await host.container('narrow', 'narrowed')
      const reaches = () => container.ask(host.worldAddress, 8088)
      // From one port of its own, so that the kernel takes it for what went through before.
      const ask = [process.execPath, askLine, 'udp', host.worldAddress, '8088', '40000']
      const goesOn = () =>
        container
          .run(ask)
          .then((said) => said.trim())
          .catch(() => null)
      expect(await Promise.all([reaches(), goesOn()])).toEqual(['world', 'world'])
      await host.networks.update('narrowed', { egress: 'none' })
      expect(await Promise.all([reaches(), goesOn()])).toEqual([null, null])
      await host.networks.update('narrowed', { egress: ['203.0.113.0/24', '203.0.113.128/25'] })
      expect(await reaches()).toBeNull()
      await host.networks.update('narrowed', { egress: ['203.0.113.0/24', `${host.worldAddress}/32`] })
      expect(await reaches()).toBe('world')
      // Another network is no part of the world, whatever ranges are listed.
      const other = await host.container('elsewhere', 'beside')
      await other.serve(80)
      await host.networks.update('narrowed', { egress: [`${other.address}/32`] })
      expect(await container.ask(other.address, 80)).toBeNull()
      await other.stop()
      await container.stop()
    })

    test('what an engine that was killed left on the host is swept by the next; what is not its own stays', async () => {
      const container = await host.container('stays', 'swept')
      const { bridge } = await host.networks.inspect('swept')
      const ours = [`bth${host.instance}-zz`, `bv${host.instance}-zz`]
      const foreign = ['bthffffff-zz', 'bvffffff-zz']
      const links = async () =>
        (await host.run(['ip', '-oneline', 'link', 'show'])).match(/b(th|v)\w{6}-\w+/g)
      for (const name of [...ours, ...foreign]) await host.run(['ip', 'link', 'add', name, 'type', 'bridge'])
      await host.run(['nft', 'add', 'table', 'inet', 'berth_ffffff'])
      expect(await links()).toEqual(expect.arrayContaining([...ours, ...foreign, bridge]))
      await host.restart({ kill: true })
      const left = await links()
      expect(left).toEqual(expect.arrayContaining([...foreign, bridge]))
      for (const name of ours) expect(left).not.toContain(name)
      expect(await host.run(['nft', 'list', 'tables'])).toContain('berth_ffffff')
      for (const name of foreign) await host.run(['ip', 'link', 'delete', name])
      await host.run(['nft', 'delete', 'table', 'inet', 'berth_ffffff'])
      await container.stop()
    })

    test('of a container that ended while no engine ran nothing is left but its address', async () => {
      const ports = [{ hostAddress: '0.0.0.0', hostPort: 15354, containerPort: 53, protocol: 'udp' }] as const
      const container = await host.container('unseen', 'lonely', { ports: [...ports] })
      await container.serve(53)
      const { bridge } = await host.networks.inspect('lonely')
      const left = async () => ({
        flows: (await host.run(['conntrack', '-L', '--reply-src', container.address]).catch(() => '')) !== '',
        server: nameServersOf(bridge).length > 0,
        bridge: (await host.run(['ip', '-oneline', 'link', 'show'])).includes(bridge),
      })
      expect(await host.ask('world', host.address, 15354, 'udp')).toBe('unseen')
      expect(await left()).toEqual({ flows: true, server: true, bridge: true })
      await host.restart({ kill: true, ending: [container] })
      expect(await left()).toEqual({ flows: false, server: false, bridge: false })
      expect((await host.networks.placeOf('unseen')).address).toBe(container.address)
      await container.stop()
    })

    test('bandwidth is limited in both directions', async () => {
      const limited = await host.container('limited', 'slow', {
        bandwidth: { inBitsPerSecond: 8_000_000, outBitsPerSecond: 4_000_000 },
      })
      const shaped = async (text: string) => /rate (\S+)/.exec(text)?.[1]
      expect(await shaped(await limited.run(['tc', 'qdisc', 'show', 'dev', 'eth0']))).toBe('4Mbit')
      const { bridge } = await host.networks.inspect('slow')
      const [link] = JSON.parse(await host.run(['ip', '-json', 'link', 'show', 'master', bridge])) as {
        ifname: string
      }[]
      expect(await shaped(await host.run(['tc', 'qdisc', 'show', 'dev', link?.ifname ?? '']))).toBe('8Mbit')
      await host.networks.create('slow-too')
      await host.networks.attach('limited', 'slow-too')
      expect(await shaped(await limited.run(['tc', 'qdisc', 'show', 'dev', 'eth1']))).toBe('4Mbit')
      await limited.stop()
    })

    test('a killed name server, a deleted bridge and flushed rules are back within seconds', async () => {
      const [one, two] = [await host.container('kept', 'mended'), await host.container('kept-too', 'mended')]
      await two.serve(80)
      const { gateway, bridge } = await host.networks.inspect('mended')
      const isWell = async () =>
        (await addressesOf(one, gateway, 'kept-too').catch(() => []))[0] === two.address &&
        (await one.ask(two.address, 80)) === 'kept-too' &&
        (await host.run(['nft', 'list', 'table', 'inet', `berth_${host.instance}`])).includes(bridge)
      await until('well', isWell)
      await host.run(['nft', 'flush', 'ruleset'])
      await until('rules are back', isWell, 15_000)
      await host.run(['ip', 'link', 'delete', bridge])
      await until('the bridge is back', isWell, 15_000)
      const pids = (
        await host.run(['ip', 'netns', 'pids', (await host.run(['ip', 'netns', 'identify'])).trim()])
      ).split('\n')
      const servers: string[] = []
      for (const pid of pids) {
        const line = await host.run(['cat', `/proc/${pid}/cmdline`]).catch(() => '')
        if (line.includes('dnsmasq') && line.includes(bridge)) servers.push(pid)
      }
      expect(servers).toHaveLength(1)
      await host.run(['kill', '-9', ...servers])
      await until('the name server is back', isWell, 15_000)
      for (const container of [one, two]) await container.stop()
    })

    test('the links are as large as what leads to the world', async () => {
      // Another way out, which is used where there is no better one.
      await host.run(['ip', 'link', 'add', 'spare', 'mtu', '1300', 'type', 'bridge'])
      await host.run(['ip', 'link', 'set', 'spare', 'up'])
      await host.run(['ip', 'route', 'add', 'default', 'dev', 'spare', 'metric', '500'])
      const container = await host.container('sized', 'sized')
      const mtu = (await host.run(['cat', '/sys/class/net/up0/mtu'])).trim()
      expect((await container.run(['ip', 'link', 'show', 'eth0'])).match(/mtu (\d+)/)?.[1]).toBe(mtu)
      await host.run(['ip', 'link', 'delete', 'spare'])
      await container.stop()
    })
  })
}
