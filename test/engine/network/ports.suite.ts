/** What every implementation of networks keeps to where ports of the host lead into it. A new one passes a factory. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { FakeContainer, PrivateHost } from '../../support/private-host.ts'
import { until } from '../../support/until.ts'

const askLine = new URL('../../support/ask-line.ts', import.meta.url).pathname
const askOften = new URL('../../support/ask-often.ts', import.meta.url).pathname
const holdOpen = new URL('../../support/hold-open.ts', import.meta.url).pathname

export function portsSuite(startHost: () => Promise<PrivateHost>): void {
  describe('ports', () => {
    let host: PrivateHost
    beforeAll(async () => {
      host = await startHost()
    })
    afterAll(() => host?.close())

    test('ports are published by TCP and UDP to the host, the world and others, while the container runs', async () => {
      const ports = [
        { hostAddress: '0.0.0.0', hostPort: 15432, containerPort: 5432, protocol: 'tcp' },
        { hostAddress: '0.0.0.0', hostPort: 15432, containerPort: 5432, protocol: 'udp' },
        { hostAddress: '127.0.0.1', hostPort: 16379, containerPort: 5432, protocol: 'tcp' },
      ] as const
      const database = await host.container('database', 'data', { ports: [...ports] })
      await database.serve(5432)
      const mate = await host.container('data-mate', 'data')
      const stranger = await host.container('stranger', 'elsewhere')
      const strangers = await host.networks.inspect('elsewhere')
      const data = await host.networks.inspect('data')
      const all = async () => ({
        host: await Promise.all(
          (['tcp', 'udp'] as const).map((protocol) => host.ask('host', host.address, 15432, protocol)),
        ),
        loopback: await Promise.all([
          host.ask('host', '127.0.0.1', 15432),
          host.ask('host', '127.0.0.1', 16379),
        ]),
        world: await Promise.all(
          (['tcp', 'udp'] as const).map((protocol) => host.ask('world', host.address, 15432, protocol)),
        ),
        others: await Promise.all(
          [mate, stranger, database].map((container) => container.ask(host.address, 15432)),
        ),
        gateway: await stranger.ask(strangers.gateway, 15432),
        not: await Promise.all([
          stranger.ask(data.gateway, 15432),
          stranger.ask('127.0.0.1', 16379),
          host.ask('world', host.address, 16379),
          stranger.ask(host.address, 16379),
          stranger.ask(database.address, 5432),
        ]),
      })
      const there = {
        host: ['database', 'database'],
        loopback: ['database', 'database'],
        world: ['database', 'database'],
        others: ['database', 'database', 'database'],
        gateway: 'database',
        not: [null, null, null, null, null],
      }
      expect(await all()).toEqual(there)
      await expect(
        host.networks.reserve('second', 'data', {
          names: [],
          ports: [{ ...ports[0], hostAddress: host.address }],
        }),
      ).rejects.toMatchObject({
        kind: 'already-exists',
        message: expect.stringMatching(/15432\/tcp.*database has it/),
      })
      await host.serve('host', 'taken', 15555)
      await expect(
        host.networks.reserve('second', 'data', { names: [], ports: [{ ...ports[1], hostPort: 15555 }] }),
      ).rejects.toMatchObject({
        kind: 'already-exists',
        message: expect.stringMatching(/15555\/udp.*listens there/),
      })
      await host.restart({ kill: true })
      expect(await all()).toEqual(there)
      await host.networks.disconnect('database')
      expect(await host.ask('world', host.address, 15432)).toBeNull()
      for (const container of [database, mate, stranger]) await container.stop()
    })

    test('a client that keeps asking by UDP from one port reaches whoever has the published port now', async () => {
      const ports = [{ hostAddress: '0.0.0.0', hostPort: 15353, containerPort: 53, protocol: 'udp' }] as const
      const ask = () =>
        host
          .world([process.execPath, askLine, 'udp', host.address, '15353', '40000'])
          .then((said) => said.trim())
          .catch(() => null)
      // The kernel remembers this one as led to nobody.
      expect(await ask()).toBeNull()
      for (const id of ['before', 'after']) {
        const container = await host.container(id, 'flows', { ports: [...ports] })
        await container.serve(53)
        expect(await ask()).toBe(id)
        await container.stop()
      }
    })

    describe('forwards', () => {
      const tcp = { protocol: 'tcp', hostPort: 15801 } as const
      const udp = { protocol: 'udp', hostPort: 15801 } as const
      let one: FakeContainer
      let two: FakeContainer
      const to = (...containers: FakeContainer[]) =>
        containers.map(({ id }) => ({ container: id, containerPort: 80 }))
      const fromWorld = (protocol: 'tcp' | 'udp' = 'tcp') => host.ask('world', host.address, 15801, protocol)

      beforeAll(async () => {
        one = await host.container('one', 'forwards')
        two = await host.container('two', 'forwards')
        await Promise.all([one.serve(80), two.serve(80)])
      })
      afterAll(async () => {
        await host.networks.forward([])
        for (const container of [one, two]) await container.stop()
      })

      test('a port leads to several containers in turn, from everywhere, also after another engine took over', async () => {
        const stranger = await host.container('asks', 'elsewhere')
        const { gateway } = await host.networks.inspect('elsewhere')
        expect(await host.networks.forward([{ ...tcp, targets: to(one) }])).toEqual([])
        expect(await Promise.all([fromWorld(), fromWorld('udp')])).toEqual(['one', null])
        const both = [
          { ...tcp, targets: to(one, two) },
          { ...udp, targets: to(two) },
        ]
        expect(await host.networks.forward(both)).toEqual([])
        const all = async () => ({
          world: [await fromWorld(), await fromWorld()].sort(),
          udp: await fromWorld('udp'),
          loopback: [
            await host.ask('host', '127.0.0.1', 15801),
            await host.ask('host', '127.0.0.1', 15801),
          ].sort(),
          others: [await stranger.ask(host.address, 15801), await stranger.ask(gateway, 15801)].sort(),
          itself: [await one.ask(host.address, 15801), await one.ask(host.address, 15801)].sort(),
        })
        const there = {
          ...{ world: ['one', 'two'], udp: 'two', loopback: ['one', 'two'] },
          ...{ others: ['one', 'two'], itself: ['one', 'two'] },
        }
        expect(await all()).toEqual(there)
        await host.restart({ kill: true })
        expect(await all()).toEqual(there)
        // Flushed by others, it is mended with the rest.
        await host.run(['nft', 'flush', 'ruleset'])
        await until('rules are back', async () => (await fromWorld()) !== null, 15_000)
        expect(await all()).toEqual(there)
        await stranger.stop()
      })

      test('only networks that are listed may begin a connection', async () => {
        const only = (...sources: string[]) => host.networks.forward([{ ...tcp, targets: to(one), sources }])
        await only('192.0.2.0/24', '192.0.2.128/25')
        expect(await fromWorld()).toBeNull()
        await only('192.0.2.0/24', `${host.worldAddress}/32`)
        expect(await fromWorld()).toBe('one')
        expect(await only('192.0.2.0/33')).toMatchObject([{ hostPort: 15801, kind: 'invalid' }])
        await only('0.0.0.0/0')
        expect(await fromWorld()).toBe('one')
      })

      test('whoever connects while it is led elsewhere is answered, by one or the other', async () => {
        await host.networks.forward([{ ...tcp, targets: to(one) }])
        let isOver = false
        const answers: string[] = []
        const asking = host.world([process.execPath, askOften, host.address, '15801', '4000']).finally(() => {
          isOver = true
        })
        for (let turn = 0; !isOver; turn++)
          await host.networks.forward([{ ...tcp, targets: to(turn % 2 === 0 ? two : one) }])
        answers.push(...(await asking).trim().split('\n'))
        expect(new Set(answers)).toEqual(new Set(['one', 'two']))
        expect(answers.length).toBeGreaterThan(50)
      })

      test('a client that keeps asking by UDP from one port is led to who is listed now', async () => {
        const ask = () =>
          host
            .world([process.execPath, askLine, 'udp', host.address, '15801', '40001'])
            .then((said) => said.trim())
            .catch(() => null)
        await host.networks.forward([])
        expect(await ask()).toBeNull()
        for (const container of [one, two, one]) {
          await host.networks.forward([{ ...udp, targets: to(container) }])
          expect(await ask()).toBe(container.id)
        }
      })

      test('connections that are open are counted, and stay where they are', async () => {
        await host.networks.forward([{ ...tcp, targets: [{ container: 'one', containerPort: 81 }] }])
        const patient =
          'require("node:net").createServer((socket) => socket.on("error", () => {})).listen(81)'
        host.start('host', [...['nsenter', `--net=/proc/${one.pid}/ns/net`, process.execPath, '-e', patient]])
        await until('it listens', async () => (await one.run(['ss', '-ltn'])).includes(':81'))
        const client = host.start('world', [process.execPath, holdOpen, host.address, '15801'])
        await until(
          'it is counted',
          async () => (await host.networks.forwardedConnections(['one', 'two'])) === 1,
        )
        await host.networks.forward([{ ...tcp, targets: to(two) }])
        expect(await fromWorld()).toBe('two')
        expect(await host.networks.forwardedConnections(['one'])).toBe(1)
        expect(client.exitCode).toBeNull()
        client.kill('SIGTERM')
        await until('it is closed', async () => (await host.networks.forwardedConnections(['one'])) === 0)
      })

      test('a container that ends is left out, and one that is not there', async () => {
        const short = await host.container('short', 'forwards')
        await short.serve(80)
        await host.networks.forward([
          { ...tcp, targets: [...to(short, one), { container: 'nobody', containerPort: 1 }] },
        ])
        expect([await fromWorld(), await fromWorld()].sort()).toEqual(['one', 'short'])
        await short.stop()
        expect([await fromWorld(), await fromWorld()]).toEqual(['one', 'one'])
        await host.networks.forward([])
        expect(await fromWorld()).toBeNull()
      })

      test('a port that somebody else has is refused, and the others are forwarded', async () => {
        const published = {
          hostAddress: '127.0.0.1',
          hostPort: 15802,
          containerPort: 80,
          protocol: 'tcp',
        } as const
        const has = await host.container('has', 'forwards', { ports: [published] })
        await host.serve('host', 'squatter', 15803)
        const other = 'berth_0000bb'
        const promised = `{ type ipv4_addr . inet_proto . inet_service; elements = { 0.0.0.0 . tcp . 15804 } }`
        await host.run(['nft', `table inet ${other} { set promised ${promised}\n }`])
        const refused = await host.networks.forward(
          [15801, 15802, 15803, 15804, 70_000].map((hostPort) => ({ ...tcp, hostPort, targets: to(one) })),
        )
        expect(refused).toEqual([
          {
            ...tcp,
            hostPort: 15802,
            kind: 'already-exists',
            message: expect.stringMatching(/container has has it/),
          },
          {
            ...tcp,
            hostPort: 15803,
            kind: 'already-exists',
            message: expect.stringMatching(/process of this host/),
          },
          {
            ...tcp,
            hostPort: 15804,
            kind: 'already-exists',
            message: expect.stringMatching(/another engine/),
          },
          { ...tcp, hostPort: 70_000, kind: 'invalid', message: expect.stringMatching(/no port/) },
        ])
        await host.run(['nft', 'delete', 'table', 'inet', other])
        expect([await fromWorld(), await host.ask('world', host.address, 15803)]).toEqual(['one', 'squatter'])
        await expect(host.networks.checkFree({ ...tcp, hostPort: 15803 })).rejects.toMatchObject({
          kind: 'already-exists',
        })
        // Kept for somebody, and led nowhere: then a process may have come to have it.
        const kept = { ...tcp, hostPort: 15805, targets: [] }
        await host.networks.forward([{ ...tcp, targets: to(one) }, kept])
        await host.networks.checkFree(kept)
        await host.serve('host', 'squatter', 15805)
        await expect(host.networks.checkFree(kept)).rejects.toMatchObject({ kind: 'already-exists' })
        for (const port of [tcp, { ...udp, hostPort: 15899 }]) await host.networks.checkFree(port)
        await expect(
          host.networks.reserve('late', 'forwards', {
            names: [],
            ports: [{ ...published, hostPort: 15801 }],
          }),
        ).rejects.toMatchObject({ kind: 'already-exists', message: expect.stringMatching(/forwarded/) })
        expect(
          await host.run(['nft', 'list', 'set', 'inet', `berth_${host.instance}`, 'promised']),
        ).toContain('0.0.0.0 . tcp . 15801')
        await has.stop()
      })
    })

    test('a port that another engine on this host has promised is refused, and a process that took one is told of', async () => {
      const port = { hostAddress: '0.0.0.0', hostPort: 15777, containerPort: 80, protocol: 'tcp' } as const
      const other = 'berth_0000aa'
      const promised = `{ type ipv4_addr . inet_proto . inet_service; elements = { ${host.address} . tcp . 15777 } }`
      await host.run(['nft', `table inet ${other} { set promised ${promised}\n }`])
      const reserve = (id: string) => host.networks.reserve(id, 'promises', { names: [], ports: [port] })
      await expect(reserve('late')).rejects.toMatchObject({
        kind: 'already-exists',
        message: expect.stringMatching(
          /15777\/tcp: a container of another engine on this host.*berth_0000aa/,
        ),
      })
      await host.run(['nft', 'delete', 'table', 'inet', other])
      await reserve('late')
      const ours = await host.run(['nft', 'list', 'set', 'inet', `berth_${host.instance}`, 'promised'])
      expect(ours).toContain('0.0.0.0 . tcp . 15777')
      await host.serve('host', 'squatter', 15777)
      await expect(host.networks.connect('late', host.pid)).rejects.toMatchObject({
        kind: 'already-exists',
        message: expect.stringMatching(/15777\/tcp: a process of this host listens there/),
      })
      await host.networks.release('late')
      expect(
        await host.run(['nft', 'list', 'set', 'inet', `berth_${host.instance}`, 'promised']),
      ).not.toContain('15777')
    })
  })
}
