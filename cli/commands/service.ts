/**
 * `berth service NAME`: what the services of docker-compose.yml run. There each part is a container of its own, with
 * the home folder as a shared volume, and Compose takes the supervisor's place.
 */
import { chmodSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { webPart, workerPart, writeRedisConfiguration, writeRegistryConfiguration } from '../parts/others.ts'
import type { PartContext } from '../parts/part.ts'
import { root } from '../processes.ts'
import { CommandError, say } from '../say.ts'
import { homeFolder, mustHaveSettings, partEnvironment, prepareHome } from '../settings.ts'
import { firstApp } from '../welcome/first-app.ts'

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
      return become(workerPart(context).argv, context)
    case 'welcome':
      say(['', ...(await firstApp(home, settings, context.env)), ''].join('\n'))
      return
    default:
      throw new CommandError(`There is no service ${JSON.stringify(name)}.`)
  }
}

/** Settings, secrets and the configuration of the parts that are not ours, from BERTH_PORT and BERTH_DOMAIN. */
async function prepare(home: string): Promise<void> {
  const { BERTH_PORT: port, BERTH_DOMAIN: domain } = process.env
  const settings = await prepareHome(home, { port: port ? Number(port) : undefined, domain })
  writeRedisConfiguration(home)
  writeRegistryConfiguration({ home, settings, env: partEnvironment(home, settings) })
  // PostgreSQL's user in its own image has another id; whoever gets here still needs the password.
  const socket = join(home, 'postgres', 'socket')
  mkdirSync(socket, { recursive: true })
  chmodSync(join(home, 'postgres'), 0o711)
  chmodSync(socket, 0o1777)
  say(`the home folder ${home} is ready`)
}

/** The program takes this process's place, so that signals and exit codes are its own. */
function become(argv: string[], { env }: PartContext): never {
  const [file = ''] = argv
  process.chdir(root)
  if (process.execve === undefined)
    throw new CommandError('Services need Node 24: start them as the image does.')
  return process.execve(file, argv, { ...env, NODE_ENV: 'production', NEXT_TELEMETRY_DISABLED: '1' })
}
