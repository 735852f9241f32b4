/**
 * Beside the firewalls that hosts have, each the real one on a private host: containers reach what they may, the world
 * reaches what they publish, and what the other firewall drops for the host stays dropped.
 */
import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { commandLine } from '../../../engine/sys/processes.ts'
import { startDocker, type TestDocker } from '../../support/docker.ts'
import { type FakeContainer, type PrivateHost, startPrivateHost } from '../../support/private-host.ts'
import { until } from '../../support/until.ts'

const askName = new URL('../../support/ask-name.ts', import.meta.url).pathname
const edgePort = 4080
const published = { hostAddress: '0.0.0.0', hostPort: 15432, containerPort: 5432, protocol: 'tcp' } as const

interface OtherFirewall {
  what: string
  /** Without this program there is nothing to test. */
  program?: string
  /** Puts it on a host, which has no network of ours yet. */
  setUp(host: PrivateHost): Promise<void>
  /** Has it make its rules anew. */
  reload(host: PrivateHost): Promise<unknown>
  /** Puts a process on its network; answers with its address there. */
  guest?(host: PrivateHost, pid: number): Promise<string>
  /** All of its rules, to be the same before and after us. */
  rules(host: PrivateHost): Promise<string>
}

const script = (host: PrivateHost, text: string) => host.run(['sh', '-ec', text])
const nftRules = (host: PrivateHost) => host.run(['nft', '--stateless', 'list', 'ruleset'])

/** What a restart of nftables.service does. */
async function flushNft(host: PrivateHost): Promise<void> {
  await host.run(['nft', 'flush', 'ruleset'])
}

const iptables = (kind: 'nft' | 'legacy'): Omit<OtherFirewall, 'what'> => ({
  program: `/usr/sbin/iptables-${kind}`,
  reload: (host) => script(host, `iptables-${kind} -F; iptables-${kind} -X; ${iptablesRules(kind)}`),
  setUp: async (host) => {
    await script(host, iptablesRules(kind))
  },
  rules: (host) => host.run([`iptables-${kind}`, '-S']),
})

const iptablesRules = (kind: string) =>
  `for chain in INPUT FORWARD OUTPUT; do
         iptables-${kind} -P $chain DROP
         iptables-${kind} -A $chain -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT
       done
       iptables-${kind} -A INPUT -p tcp --dport 22 -j ACCEPT
       iptables-${kind} -N REST
       iptables-${kind} -A REST -m limit --limit 3/min -j LOG
       iptables-${kind} -A REST -j REJECT
       iptables-${kind} -A FORWARD -d 198.18.0.66 -j DROP
       iptables-${kind} -A FORWARD -m comment --comment "what is left" -j REST`

/** Lets ssh in, answers out, and drops the address of somebody bad. */
function operatorsTable(policy: string, end: string): string {
  const chain = (hook: string, rule: string) => `
    chain ${hook} {
      type filter hook ${hook} priority 0; policy ${policy};
      ct state established,related accept
      ${rule}
      ${end}
    }`
  return `table inet operator {
    ${chain('input', 'tcp dport 22 accept')}
    ${chain('forward', 'ip daddr 198.18.0.66 drop')}
    ${chain('output', 'oifname "lo" accept')}
  }`
}

function nft(policy: string, end: string): Omit<OtherFirewall, 'what'> {
  const setUp = async (host: PrivateHost) => {
    await host.run(['nft', operatorsTable(policy, end)])
  }
  return { setUp, reload: async (host) => flushNft(host).then(() => setUp(host)), rules: nftRules }
}

/** Its files are in /etc: it gets a copy of them. */
const ufwRules = (folder: string) => `
  cp -a /etc/ufw ${folder}/ufw
  mount --bind ${folder}/ufw /etc/ufw
  ufw allow 22/tcp
  ufw route deny to 198.18.0.66
  ufw --force enable`

const ufw: Omit<OtherFirewall, 'what'> = {
  program: '/usr/sbin/ufw',
  async setUp(host) {
    const folder = await mkdtemp(join(tmpdir(), 'berth-ufw-'))
    await host
      .run(['unshare', '--mount', 'sh', '-ec', ufwRules(folder)])
      .finally(() => rm(folder, { recursive: true, force: true }))
  },
  reload: (host) => flushNft(host).then(() => ufw.setUp(host)),
  rules: async (host) => `${await host.run(['iptables', '-S'])}${await host.run(['ip6tables', '-S'])}`,
}

const bus = join(tmpdir(), `berth-bus-${process.pid}`)
const firewalld = (backend: 'nftables' | 'iptables'): Omit<OtherFirewall, 'what'> => ({
  program: '/usr/sbin/firewalld',
  async setUp(host) {
    const policy =
      '<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/><allow user="*"/></policy>'
    await writeFile(
      `${bus}.conf`,
      `<busconfig><listen>unix:path=${bus}</listen><auth>EXTERNAL</auth>${policy}</busconfig>`,
    )
    host.start('host', ['dbus-daemon', '--nosyslog', `--config-file=${bus}.conf`, '--nofork', '--nopidfile'])
    await until('there is a bus', () => existsSync(bus))
    // Its files are in /etc: it gets a copy of them, in a mount namespace of its own.
    const run = `
      cp -a /etc/firewalld ${bus}.d
      sed -i s/^FirewallBackend=.*/FirewallBackend=${backend}/ ${bus}.d/firewalld.conf
      mount --bind ${bus}.d /etc/firewalld
      exec firewalld --nofork --nopid`
    host.start('host', ['unshare', '--mount', 'sh', '-ec', run])
    await until('firewalld runs', async () =>
      (await host.run(['firewall-cmd', '--state'])).includes('running'),
    )
    const tables = await host.run(['nft', 'list', 'tables'])
    expect(tables.includes('inet firewalld'), `the backend is ${backend}`).toBe(backend === 'nftables')
  },
  reload: (host) => host.run(['firewall-cmd', '--reload']),
  rules: async (host) =>
    `${await host.run(['firewall-cmd', '--list-all-zones'])}${await host.run(['iptables', '-S'])}`,
})

let dockerd: TestDocker | null = null
const docker: Omit<OtherFirewall, 'what'> = {
  program: '/usr/sbin/dockerd',
  async setUp(host) {
    // Where nobody has done so before it, it lets this host forward, and sees to it that it does so for Docker alone.
    await host.run(['sysctl', '-q', '-w', 'net.ipv4.ip_forward=0'])
    dockerd = await startDocker({ networkOf: host.pid })
    await host.run(['iptables', '-P', 'INPUT', 'DROP'])
    await script(
      host,
      `iptables -A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT
       iptables -A INPUT -p tcp --dport 22 -j ACCEPT
       iptables -I DOCKER-USER -d 198.18.0.66 -j DROP`,
    )
    expect(await host.run(['iptables', '-S', 'FORWARD'])).toContain('-P FORWARD DROP')
  },
  // The daemon starts again, as it does with each of its updates.
  reload: async (host) => {
    await dockerd?.close()
    dockerd = await startDocker({ networkOf: host.pid })
  },
  rules: async (host) =>
    `${await host.run(['iptables', '-S'])}${await host.run(['iptables', '-t', 'nat', '-S'])}`,
  async guest(host, pid) {
    const peer = `peer name eth0 netns ${pid}`
    await host.run(['ip', ...`link add dockers type veth ${peer}`.split(' ')])
    await host.run(['ip', 'link', 'set', 'dockers', 'master', 'docker0', 'up'])
    const within = ['nsenter', `--net=/proc/${pid}/ns/net`, 'ip']
    const address = '172.17.0.9'
    for (const line of [
      `address add ${address}/16 dev eth0`,
      'link set eth0 up',
      'route add default via 172.17.0.1',
    ])
      await host.run([...within, ...line.split(' ')])
    return address
  },
}

const cni = '/usr/lib/cni'
/** What podman does for a network: the same plugins, one after another, each with what the one before said. */
const podman: Omit<OtherFirewall, 'what'> = {
  program: `${cni}/bridge`,
  setUp: async (host) => {
    await script(host, iptablesRules('nft'))
  },
  reload: (host) => {
    const rest = 'FORWARD -m comment --comment "what is left" -j REST'
    return script(host, `iptables-nft -D ${rest}; iptables-nft -A ${rest}`)
  },
  rules: (host) => host.run(['iptables-nft', '-S']),
  async guest(host, pid) {
    const dataDir = await mkdtemp(join(tmpdir(), 'berth-cni-'))
    const range = [[{ subnet: '10.88.0.0/16', gateway: '10.88.0.1' }]]
    const ipam = { type: 'host-local', ranges: range, routes: [{ dst: '0.0.0.0/0' }], dataDir }
    const plugins = [
      { type: 'bridge', bridge: 'cni-podman0', isGateway: true, ipMasq: true, hairpinMode: true, ipam },
      { type: 'firewall', backend: 'iptables' },
    ]
    const settings = `CNI_COMMAND=ADD CNI_CONTAINERID=guest CNI_NETNS=/proc/${pid}/ns/net CNI_IFNAME=eth0 CNI_PATH=${cni}`
    let said: { ips: { address: string }[] } | undefined
    for (const plugin of plugins) {
      const asked = { cniVersion: '0.4.0', name: 'podman', ...plugin, ...(said && { prevResult: said }) }
      said = JSON.parse(
        await script(host, `echo '${JSON.stringify(asked)}' | ${settings} ${cni}/${plugin.type}`),
      ) as typeof said
    }
    await rm(dataDir, { recursive: true, force: true })
    return said?.ips[0]?.address.replace(/\/.*/, '') ?? ''
  },
}

const netavarkProgram = '/usr/lib/podman/netavark'
/** What podman does for a network from version 4 on. */
const netavark: Omit<OtherFirewall, 'what'> = {
  ...podman,
  program: netavarkProgram,
  async guest(host, pid) {
    const folder = await mkdtemp(join(tmpdir(), 'berth-netavark-'))
    const address = '10.88.0.9'
    const network = {
      ...{ name: 'podman', id: '0'.repeat(64), driver: 'bridge', network_interface: 'podman0' },
      ...{
        subnets: [{ subnet: '10.88.0.0/16', gateway: '10.88.0.1' }],
        ipam_options: { driver: 'host-local' },
      },
      ...{ ipv6_enabled: false, internal: false, dns_enabled: false, created: '2026-01-01T00:00:00Z' },
    }
    const asked = {
      ...{ container_id: 'guest', container_name: 'guest', network_info: { podman: network } },
      networks: { podman: { static_ips: [address], interface_name: 'eth0' } },
    }
    await writeFile(join(folder, 'asked.json'), JSON.stringify(asked))
    const settings = ['--config', folder, '--file', join(folder, 'asked.json')]
    await host.run([netavarkProgram, ...settings, 'setup', `/proc/${pid}/ns/net`])
    // It puts its rules behind those that are there, where all is dropped by now.
    await podman.reload(host)
    await rm(folder, { recursive: true, force: true })
    return address
  },
}

const others: OtherFirewall[] = [
  { what: 'nft with policies that drop', ...nft('drop', '') },
  { what: 'nft that rejects at the end', ...nft('accept', 'counter reject') },
  { what: 'iptables-nft', ...iptables('nft') },
  { what: 'iptables-legacy', ...iptables('legacy') },
  { what: 'ufw', ...ufw },
  { what: 'firewalld', ...firewalld('nftables') },
  { what: 'firewalld by iptables', ...firewalld('iptables') },
  { what: 'Docker', ...docker },
  { what: "podman's CNI plugins", ...podman },
  { what: "podman's netavark", ...netavark },
]

describe.each(others)('beside $what', ({ what, program, setUp, reload, rules, guest }) => {
  let host: PrivateHost
  let one: FakeContainer
  let before: string

  beforeAll(async () => {
    process.env.DBUS_SYSTEM_BUS_ADDRESS = `unix:path=${bus}`
    // The engine finds the bus where it is on every host, and so must have a folder of its own there.
    const prepare = what.startsWith('firewalld')
      ? `mkdir -p /run/dbus; mount -t tmpfs none /run/dbus; ln -s ${bus} /run/dbus/system_bus_socket`
      : ''
    host = await startPrivateHost({ allowedHostPorts: [edgePort], prepare })
  })
  afterAll(async () => {
    await dockerd?.close()
    dockerd = null
    await host?.close()
    delete process.env.DBUS_SYSTEM_BUS_ADDRESS
    for (const file of [bus, `${bus}.conf`, `${bus}.d`]) await rm(file, { recursive: true, force: true })
  })

  test('all that may pass does, what is dropped for a reason stays dropped, and nothing of ours is left', async (context) => {
    if (program && !existsSync(program)) context.skip(`${program} is not on this machine`)
    await host.serve('host', 'ssh', 22)
    await host.serve('host', 'edge', edgePort)
    await host.serve('world', 'world', 80)
    await host.world(['ip', 'address', 'add', '198.18.0.66/32', 'dev', 'eth0'])
    await setUp(host)
    const sleeper = host.start('host', ['unshare', '--net', 'sleep', '1000'])
    const guestPid = sleeper.pid ?? 0
    await until('the guest is there', () => commandLine(guestPid)[0] === 'sleep')
    const guestAddress = await guest?.(host, guestPid)
    if (guestAddress) await host.serve(guestPid, 'guest', 5432)
    before = await rules(host)
    const closed = () => host.ask('world', host.address, edgePort)
    expect(await closed(), what).toBeNull()

    one = await host.container('one', 'mine', { ports: [published] })
    const other = await host.container('other', 'theirs')
    for (const container of [one, other]) await container.serve(5432)
    const { gateway } = await host.networks.inspect('mine')
    const guestAsks = (to: string, port: number) => (guestAddress ? host.ask(guestPid, to, port) : null)
    const passes = async () => {
      const said = await one.run([process.execPath, askName, gateway, 'one', 'A', 'udp'])
      const [world, edge, fromHost, atPort, neighbours, guests] = await Promise.all([
        one.ask(host.worldAddress, 80),
        one.ask(gateway, edgePort),
        host.ask('host', one.address, 5432),
        host.ask('world', host.address, published.hostPort),
        other.ask(host.address, published.hostPort),
        guestAsks(host.worldAddress, 80),
      ])
      const name = JSON.parse(said).answers[0]?.address
      return { name, world, edge, fromHost, atPort, neighbours, guests }
    }
    const all = {
      name: one.address,
      world: 'world',
      edge: 'edge',
      fromHost: 'one',
      atPort: 'one',
      neighbours: 'one',
      guests: guestAddress ? 'world' : null,
    }
    expect(await passes()).toEqual(all)
    const stillClosed = () =>
      Promise.all([
        closed(),
        what.startsWith('firewalld') ? null : one.ask('198.18.0.66', 80),
        one.ask(gateway, 22),
        one.ask(other.address, 5432),
        guestAddress ? one.ask(guestAddress, 5432) : null,
        guestAsks(one.address, 5432),
      ])
    expect(await stillClosed()).toEqual([null, null, null, null, null, null])
    expect(await host.ask('world', host.address, 22)).toBe('ssh')

    const ours = await rules(host)
    await reload(host)
    await until(
      'let through again',
      async () => (await rules(host)) === ours && (await one.ask(host.worldAddress, 80)) === 'world',
    )
    expect(await passes()).toEqual(all)

    for (const kill of [false, true]) {
      await host.restart({ kill })
      await until('as before', async () => (await rules(host)) === ours)
      expect(await passes(), kill ? 'after a SIGKILL' : 'after a stop').toEqual(all)
      expect(await stillClosed()).toEqual([null, null, null, null, null, null])
    }

    for (const container of [one, other]) await container.stop()
    for (const name of ['mine', 'theirs']) await host.networks.remove(name)
    expect(await rules(host)).toBe(before)
  })
})
