/** Who may do what with which client: everything that people push and pull with, as everybody who may come. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import type { Role } from '../../platform/model/roles.ts'
import { updateRepository } from '../../platform/repositories.ts'
import { createTeamToken, createToken } from '../../platform/tokens.ts'
import { pushWithSkopeo } from '../support/oci-layout.ts'
import { operator } from '../support/platform.ts'
import { type RegistryClients, startRegistryClients } from '../support/registry-clients.ts'
import {
  type ClientResult,
  client,
  type RegistryStack,
  startRegistryStack,
} from '../support/registry-stack.ts'

const clientNames = ['docker', 'podman', 'buildah', 'skopeo']
type Login = { name: string; secret: string } | null
interface Rights {
  login: boolean
  /** From the team's private repository. */
  pull: boolean
  push: boolean
  /** From a public repository. */
  pullPublic: boolean
}

const none = { pull: false, push: false }
const reads = { pull: true, push: false }
const writes = { pull: true, push: true }

/** Everybody who may come, and what is theirs to do. */
const expected: Record<string, Partial<Rights>> = {
  'an owner': writes,
  'an administrator': writes,
  'a developer': writes,
  'a viewer': reads,
  'a personal token': writes,
  'a personal token that only views': reads,
  'a viewer’s token that claims more': reads,
  'a token of the team': writes,
  'a token to deploy': writes,
  'a token to read': reads,
  'a token for this repository': writes,
  'a token for another repository': none,
  'a person of another team': none,
  'somebody with a wrong password': { ...none, login: false },
  'nobody in particular': none,
}

let berth: RegistryStack
let clients: RegistryClients
let folder: string
let admin: { email: string; password: string }
const logins = new Map<string, Login>()
const roles = new Map<Role, { email: string; password: string }>()

beforeAll(async () => {
  const servers = { postgresUrl: inject('postgresUrl'), redisUrl: inject('redisUrl') }
  ;[berth, clients, folder] = await Promise.all([
    startRegistryStack(servers),
    startRegistryClients(),
    mkdtemp(join(tmpdir(), 'berth-logins-')),
  ])
  const { platform } = berth
  const [acme, rival] = [await berth.makeTeam('Acme'), await berth.makeTeam('Rival')]
  const enter = async (who: string, role: Role, teamId = acme.id) => {
    const user = await berth.makeUser({ teamId, role })
    logins.set(who, { name: user.email, secret: user.password })
    if (teamId === acme.id) roles.set(role, user)
    return user
  }
  await enter('an owner', 'owner')
  const ada = await enter('an administrator', 'admin')
  admin = ada
  const developer = await enter('a developer', 'developer')
  const viewer = await enter('a viewer', 'viewer')
  await enter('a person of another team', 'owner', rival.id)
  const token = (who: string, { secret }: { secret: string }) => logins.set(who, { name: 'token', secret })
  const own = (by: typeof ada, input: Parameters<typeof createToken>[2]) =>
    createToken(platform, by.viewer, input)
  const scoped = { name: 'scoped', teamId: acme.id }
  token('a personal token', await own(developer, { name: 'own' }))
  token('a personal token that only views', await own(developer, { name: 'views', role: 'viewer' }))
  token('a viewer’s token that claims more', await own(viewer, { name: 'more', role: 'admin' }))
  token('a token of the team', await createTeamToken(platform, ada.viewer, acme.id, { name: 'ci' }))
  token('a token to deploy', await own(developer, { ...scoped, preset: 'deploy' }))
  token('a token to read', await own(developer, { ...scoped, preset: 'read' }))
  const only = (name: string) => own(developer, { ...scoped, preset: 'deploy', repositories: [name] })
  token('a token for this repository', await only('private'))
  token('a token for another repository', await only('other'))
  logins.set('somebody with a wrong password', { name: ada.email, secret: 'not the password' })
  logins.set('nobody in particular', null)
  for (const name of ['private', 'public'])
    await pushWithSkopeo(`${berth.host}/acme/${name}:1`, `${ada.email}:${ada.password}`, {
      bare: true,
      files: { 'of-the-team': name },
    })
  const { id } = await platform.db.repository.findFirstOrThrow({ where: { name: 'public' } })
  await updateRepository(platform, operator, id, { isPublic: true })
}, 60_000)

afterAll(async () => {
  await Promise.all([berth?.close(), clients?.close()])
  if (folder !== undefined) await rm(folder, { recursive: true, force: true })
}, 60_000)

/** Yes, or how a registry says no; anything else in the client's own words. */
function answered({ ok, said }: ClientResult): boolean | string {
  if (ok) return true
  return /denied|unauthorized|authentication required|incorrect username or password|invalid username\/password/i.test(
    said,
  )
    ? false
    : said
}

describe.concurrent('pushes and pulls', () => {
  test.each(clientNames)(
    'of %s are let through for whom they are to be, and for nobody else',
    async (name) => {
      const tool = clients.all.find((one) => one.name === name)
      if (tool === undefined) throw new Error(`there is no ${name}`)
      const seen: Record<string, Record<keyof Rights, boolean | string>> = {}
      for (const [index, who] of Object.keys(expected).entries()) {
        const home = join(folder, name, String(index))
        await mkdir(home, { recursive: true })
        const as = logins.get(who)
        seen[who] = {
          login: as == null || answered(await tool.login(home, { host: berth.host, ...as })),
          pull: answered(await tool.pull(home, `${berth.host}/acme/private:1`)),
          push: answered(await tool.push(home, `${berth.host}/acme/private:${name}-${index}`)),
          pullPublic: answered(await tool.pull(home, `${berth.host}/acme/public:1`)),
        }
      }
      const rights = Object.entries(expected).map(([who, may]) => [
        who,
        { login: true, pullPublic: true, ...may },
      ])
      expect(seen).toEqual(Object.fromEntries(rights))
    },
  )
})

test('skopeo deletes for who may, and for nobody else', async () => {
  const seen: [Role, boolean | string][] = []
  for (const role of roles.keys()) {
    const reference = `${berth.host}/acme/going-${role}:1`
    await pushWithSkopeo(reference, `${admin.email}:${admin.password}`, { bare: true, files: { role } })
    const { email, password } = roles.get(role) ?? admin
    const gone = await client('skopeo', [
      ...['delete', '--tls-verify=false', '--creds', `${email}:${password}`, `docker://${reference}`],
    ])
    seen.push([role, answered(gone)])
  }
  expect(seen).toEqual([
    ['owner', true],
    ['admin', true],
    ['developer', false],
    ['viewer', false],
  ])
})
