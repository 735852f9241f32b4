/**
 * `berth service NAME`: what the services of docker-compose.yml run. There each part is a container of its own, with
 * what it needs of the home folder, and Compose takes the supervisor's place.
 */
import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { operatorApi } from '../api.ts'
import { webPart, workerPart, writeRedisConfiguration, writeRegistryConfiguration } from '../parts/others.ts'
import type { PartContext } from '../parts/part.ts'
import { root } from '../processes.ts'
import { CommandError, say, stage } from '../say.ts'
import { homeFolder, mustHaveSettings, partEnvironment, prepareHome } from '../settings.ts'
import { readInstance } from '../supervisor/instance.ts'
import { firstApp } from '../welcome/first-app.ts'
import { stopApps } from './stop-apps.ts'

/** Whom the web app, PostgreSQL, Redis and the registry run as. Also in docker-compose.yml. */
const unprivileged = 65_532

export const serviceNames = ['home', 'migrate', 'web', 'worker', 'welcome', 'stop-apps']

export async function service(name: string): Promise<void> {
  const home = homeFolder({})
  if (name === 'home') return prepare(home)
  const settings = mustHaveSettings(home)
  const context = { home, settings, env: partEnvironment(home, settings) }
  switch (name) {
    case 'migrate':
      return become([process.execPath, join(root, 'prisma/migrate.ts')], context)
    case 'web':
      return become(webPart(context).argv, context)
    case 'worker':
      return become([...withHostsView(), ...workerPart(context).argv], context)
    case 'welcome':
      say(['', ...(await firstApp(home, settings, context.env)), ''].join('\n'))
      return handOver(join(home, 'settings.json'))
    case 'stop-apps':
      return stage('stopping apps', (note) => stopApps(operatorApi(home, settings), note))
    default:
      throw new CommandError(`There is no service ${JSON.stringify(name)}.`)
  }
}

/**
 * A /proc without Docker's masks: the kernel lets a user namespace mount one only where one is wholly visible, and the
 * networks' settings are to be written. And on cgroup v2 Docker gives a container a control group namespace of its
 * own, out of which no process may be moved: the host's first process has the host's.
 */
function withHostsView(): string[] {
  const isHosts = readlinkSync('/proc/self/ns/cgroup') === initialCgroupNamespace
  const enter = isHosts ? [] : ['nsenter', '--cgroup=/proc/1/ns/cgroup', '--']
  return ['sh', '-c', 'mount -t proc proc /proc && exec "$@"', 'sh', ...enter]
}

/** Source: PROC_CGROUP_INIT_INO in the kernel's include/linux/proc_ns.h. */
const initialCgroupNamespace = 'cgroup:[4026531835]'

/**
 * Settings, secrets and the configuration of the parts that are not ours, from BERTH_PORT, BERTH_HTTPS_PORT and BERTH_DOMAIN. Folders in
 * which root writes stay root's: whoever could plant a link there could have it write anywhere.
 */
async function prepare(home: string): Promise<void> {
  if (readInstance(home) !== null)
    throw new CommandError(
      `The Berth in ${home} was started by \`berth up\`: end it by \`berth down --home ${home}\`, or choose another BERTH_HOME.`,
    )
  const {
    BERTH_PORT: port,
    BERTH_HTTPS_PORT: httpsPort,
    BERTH_DOMAIN: domain,
    BERTH_OWN_HTTPS: own,
  } = process.env
  const settings = await prepareHome(home, {
    port: port ? Number(port) : undefined,
    httpsPort: httpsPort ? Number(httpsPort) : undefined,
    ...{ domain, ownHttps: own === 'yes', keepPorts: true },
  })
  const env = partEnvironment(home, settings)
  for (const name of ['run', 'secrets']) chmodSync(join(home, name), 0o711)
  handOver(join(home, 'settings.json'))
  for (const name of readdirSync(join(home, 'secrets'))) handOver(join(home, 'secrets', name))
  for (const name of ['postgres', 'redis', 'registry', 'uploads']) {
    mkdirSync(join(home, name), { recursive: true, mode: 0o700 })
    handOver(join(home, name))
  }
  process.setgroups?.([])
  process.setgid?.(unprivileged)
  process.setuid?.(unprivileged)
  mkdirSync(join(home, 'postgres', 'socket'), { recursive: true, mode: 0o700 })
  writeRedisConfiguration(home)
  writeRegistryConfiguration({ home, settings, env })
  say(`the home folder ${home} is ready`)
}

function handOver(path: string): void {
  if (existsSync(path)) chownSync(path, unprivileged, unprivileged)
}

/** The program takes this process's place, so that signals and exit codes are its own. */
function become(argv: string[], { env }: PartContext): never {
  const [name = ''] = argv
  process.chdir(root)
  if (process.execve === undefined)
    throw new CommandError('Services need Node 24: start them as the image does.')
  const file = name.includes('/') ? name : join('/usr/bin', name)
  return process.execve(file, argv, { ...env, NODE_ENV: 'production', NEXT_TELEMETRY_DISABLED: '1' })
}
