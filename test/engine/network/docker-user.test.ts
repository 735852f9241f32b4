/** A host with Docker's firewall, in a network namespace of its own: a bridge of ours, and the world behind a router. */
import { execFileSync, spawnSync } from 'node:child_process'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { dockerUser } from '../../../engine/network/docker-user.ts'
import { type Spawner, startSpawner } from '../../../engine/sys/spawner.ts'
import { instanceOf, startEngine } from '../../support/engine.ts'

const names = { host: `dkh${process.pid}`, app: `dka${process.pid}`, world: `dkw${process.pid}` }
const prefix = 'bth0d0c0e-'
const bridge = `${prefix}1`
const dockers = `table ip filter {
  chain FORWARD { type filter hook forward priority filter; policy drop; jump DOCKER-USER; }
  chain DOCKER-USER { counter return; }
}`

let spawner: Spawner
let docker: ReturnType<typeof dockerUser>

const ip = (text: string) => execFileSync('ip', text.split(' '), { stdio: ['ignore', 'pipe', 'pipe'] })
const onHost = (argv: string[], input?: string) =>
  execFileSync('ip', ['netns', 'exec', names.host, ...argv], { input, encoding: 'utf8' })

beforeAll(() => {
  for (const name of Object.values(names)) ip(`netns add ${name}`)
  const { host, app, world } = names
  ip(`-n ${host} link add ${bridge} type bridge`)
  ip(`-n ${host} address add 198.19.1.1/24 dev ${bridge}`)
  ip(`-n ${host} link add up0 type veth peer name eth0 netns ${world}`)
  ip(`-n ${host} address add 198.19.2.1/24 dev up0`)
  ip(`-n ${host} link add bv0 type veth peer name eth0 netns ${app}`)
  ip(`-n ${host} link set bv0 master ${bridge} up`)
  for (const link of [bridge, 'up0']) ip(`-n ${host} link set ${link} up`)
  for (const [name, net] of [
    [app, '198.19.1'],
    [world, '198.19.2'],
  ]) {
    ip(`-n ${name} address add ${net}.2/24 dev eth0`)
    ip(`-n ${name} link set eth0 up`)
    ip(`-n ${name} route add default via ${net}.1`)
  }
  onHost(['sh', '-c', 'echo 1 >/proc/sys/net/ipv4/ip_forward'])
  spawner = startSpawner()
  const inside = (argv: string[]) => ['ip', 'netns', 'exec', host, ...argv]
  docker = dockerUser(
    {
      run: (argv, options) => spawner.run(inside(argv), options),
      mustRun: (argv, options) => spawner.mustRun(inside(argv), options),
    },
    prefix,
  )
})

afterAll(async () => {
  await spawner?.close()
  for (const name of Object.values(names)) ip(`netns delete ${name}`)
})

function reachesWorld(): boolean {
  try {
    ip(`netns exec ${names.app} busybox ping -c 1 -W 1 198.19.2.2`)
    return true
  } catch {
    return false
  }
}

const chain = () => onHost(['nft', 'list', 'chain', 'ip', 'filter', 'DOCKER-USER'])

test('where there is no Docker, nothing is made', async () => {
  await docker.open()
  await docker.close()
  expect(onHost(['nft', 'list', 'ruleset'])).toBe('')
  expect(reachesWorld()).toBe(true)
})

test('what Docker would drop gets through, in both directions, until it is closed again', async () => {
  onHost(['nft', '-f', '-'], dockers)
  const before = chain()
  expect(reachesWorld()).toBe(false)
  await docker.open()
  expect(reachesWorld()).toBe(true)
  const opened = chain().replaceAll(/packets \d+ bytes \d+/g, '')
  await docker.open()
  expect(chain().replaceAll(/packets \d+ bytes \d+/g, '')).toBe(opened)
  await docker.close()
  expect(reachesWorld()).toBe(false)
  expect(chain().split('\n')).toHaveLength(before.split('\n').length)
})

test('other rules there, and those of other engines, stay as they are', async () => {
  const others = 'insert rule ip filter DOCKER-USER iifname "bthffffff-*" counter packets 0 bytes 0 accept\n'
  onHost(['nft', '-f', '-'], others)
  await docker.open()
  await docker.close()
  expect(chain()).toContain('"bthffffff-*"')
  expect(chain()).toContain('return')
})

test('an engine is let through as long as it has a network', async () => {
  // Beside the host's own Docker, or a chain of that name that no packet comes to.
  const parts = ['table ip filter', 'chain ip filter DOCKER-USER']
  const nft = (text: string) => execFileSync('nft', text.split(' '), { stdio: ['ignore', 'pipe', 'pipe'] })
  const made = parts.filter((part) => spawnSync('nft', ['list', ...part.split(' ')]).status !== 0)
  for (const part of made) nft(`add ${part}`)
  const host = await startEngine()
  const ours = () =>
    execFileSync('nft', ['list', 'chain', 'ip', 'filter', 'DOCKER-USER'], { encoding: 'utf8' })
      .split('\n')
      .filter((line) => line.includes(`"bth${instanceOf(host.stateDir)}-*"`))
  try {
    expect(ours()).toEqual([])
    const spec = host.spec()
    await host.engine.containers.create(spec)
    expect(ours()).toHaveLength(2)
    await host.engine.containers.remove(spec.id)
    await host.engine.networks.remove(spec.network)
    expect(ours()).toEqual([])
  } finally {
    await host.close()
    for (const part of made.reverse()) nft(`delete ${part}`)
  }
})
