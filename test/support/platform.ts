import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Viewer } from '../../platform/access.ts'
import { createApp } from '../../platform/apps.ts'
import { type Config, loadConfig } from '../../platform/config.ts'
import type { AppSettingsInput } from '../../platform/model/app-settings.ts'
import { newId } from '../../platform/model/ids.ts'
import type { App, Project, Team } from '../../platform/model/resources.ts'
import type { Role } from '../../platform/model/roles.ts'
import { openPlatform, type Platform } from '../../platform/open.ts'
import { hashPassword } from '../../platform/passwords.ts'
import { createProject } from '../../platform/projects.ts'
import { createTeam } from '../../platform/teams.ts'
import { createDatabase } from './postgres.ts'
import { createRedisDatabase } from './redis.ts'

export const operator: Viewer = { kind: 'operator' }

export interface TestServers {
  /** As vitest's inject('postgresUrl') and inject('redisUrl') give them. */
  postgresUrl: string
  redisUrl: string
}

export interface TestUser {
  id: string
  email: string
  password: string
  viewer: Viewer
}

export interface TestPlatform {
  platform: Platform
  config: Config
  /** What a part of Berth that is started as a process of its own is given. */
  environment: Record<string, string>
  makeTeam(name?: string): Promise<Team>
  /** In a team with a role, or in none. */
  makeUser(membership?: { teamId: string; role: Role }): Promise<TestUser>
  makeProject(teamId: string, name?: string): Promise<Project>
  /** In a new project of the team. */
  makeApp(teamId: string, options?: { name?: string; settings?: Partial<AppSettingsInput> }): Promise<App>
  close(): Promise<void>
}

export interface TestPlatformOptions {
  home?: string
  port?: number
  domain?: string
  webPort?: number
  /** What people may have Berth ask besides the Internet. */
  privateHosts?: string
  /** With a key and certificate for the registry's tokens (takes a moment). */
  registryKey?: boolean
}

export const testPassword = 'correct horse battery'
let passwordHash: Promise<string> | undefined

/** A whole platform on a database, a Redis and a home of its own, with real servers. */
export async function openTestPlatform(
  servers: TestServers,
  options: TestPlatformOptions = {},
): Promise<TestPlatform> {
  const home = options.home ?? (await mkdtemp(join(tmpdir(), 'berth-test-home-')))
  const database = await createDatabase(servers.postgresUrl)
  const redis = await createRedisDatabase(servers.redisUrl)
  await writeSecrets(home, options.registryKey === true)
  const environment = {
    BERTH_HOME: home,
    BERTH_PORT: String(options.port ?? 7080),
    BERTH_DOMAIN: options.domain ?? '',
    BERTH_WEB_PORT: String(options.webPort ?? 7081),
    BERTH_HOST_ID: newId('host'),
    BERTH_LOG_LEVEL: 'error',
    BERTH_PRIVATE_HOSTS: options.privateHosts ?? '',
    DATABASE_URL: database.url,
    REDIS_URL: redis.url,
  }
  const config = loadConfig(environment)
  const platform = await openPlatform(config, { part: 'test' })
  let made = 0

  async function makeProject(teamId: string, name = `Project ${++made}`): Promise<Project> {
    return createProject(platform, operator, teamId, { name })
  }

  return {
    platform,
    config,
    environment,
    makeProject,
    makeTeam: (name = `Team ${++made}`) => createTeam(platform, operator, { name }),
    async makeUser(membership) {
      const id = newId('user')
      const email = `${id}@example.com`
      passwordHash ??= hashPassword(testPassword)
      const memberships = membership === undefined ? {} : { memberships: { create: membership } }
      await platform.db.user.create({
        data: { id, email, name: `User ${++made}`, passwordHash: await passwordHash, ...memberships },
      })
      return { id, email, password: testPassword, viewer: { kind: 'user', userId: id, sessionId: null } }
    },
    async makeApp(teamId, { name = `App ${++made}`, settings = {} } = {}) {
      const project = await makeProject(teamId)
      return createApp(platform, operator, project.id, {
        name,
        settings: { image: 'registry.example/app:1', ...settings },
      })
    },
    async close() {
      await platform.close()
      await Promise.all([database.drop(), redis.clear()])
      if (options.home === undefined) await rm(home, { recursive: true, force: true })
    },
  }
}

async function writeSecrets(home: string, registryKey: boolean): Promise<void> {
  const folder = join(home, 'secrets')
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const master = { current: 'k1', keys: { k1: randomBytes(32).toString('base64') } }
  const secrets = {
    'master.key': JSON.stringify(master),
    'operator.token': `berth_${randomBytes(20).toString('hex')}`,
    'auth.secret': randomBytes(32).toString('hex'),
    'registry.http-secret': randomBytes(32).toString('hex'),
    'registry.notify-secret': randomBytes(32).toString('hex'),
  }
  for (const [name, value] of Object.entries(secrets)) {
    // What is there already stays: the home may be one that is used again.
    await writeFile(join(folder, name), value, { mode: 0o600, flag: 'wx' }).catch(() => undefined)
  }
  if (registryKey) makeRegistryKey(folder)
}

function makeRegistryKey(folder: string): void {
  const files = ['-keyout', join(folder, 'registry.key.pem'), '-out', join(folder, 'registry.cert.pem')]
  execFileSync(
    'openssl',
    ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'].concat(
      ['-subj', '/CN=berth-test'],
      files,
    ),
    { stdio: 'ignore' },
  )
}
