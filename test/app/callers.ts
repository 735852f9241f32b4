import { encode } from 'next-auth/jwt'
import { type Role, roles } from '../../platform/model/roles.ts'
import { signIn } from '../../platform/sessions.ts'
import type { TestPlatform, TestUser } from '../support/platform.ts'

/** Somebody with a browser. */
export interface Caller {
  /** In the team that is asked about. */
  role: Role | null
  /** In its projects, where that differs. */
  inProject?: Role | null
  userId?: string
  isAdministrator?: boolean
  /** Not known at all. */
  isNobody?: boolean
  /** What the session's cookie holds. */
  session: string | null
}

/** A session that was really opened, as the browser's cookie names it. */
export async function openSession(
  { platform, config }: TestPlatform,
  { id, email, password }: TestUser,
): Promise<string> {
  const { sessionId } = await signIn(platform, { email, password, address: '127.0.0.1' })
  return encode({ token: { sub: id, sessionId }, secret: config.readSecret('auth.secret') })
}

/** As a page of ours sends it. */
export function cookieHeaders(session: string): Record<string, string> {
  return { cookie: `berth_7080_session=${session}`, 'sec-fetch-site': 'same-origin' }
}

export interface Callers {
  all: Map<string, Caller>
  /** Gives those who have another role in the projects of the team that role in this one. */
  enterProject(projectId: string): Promise<void>
  /** Whoever left the team is in it again. */
  comeBack(): Promise<void>
}

/** Every kind of person: each role in the team, other roles in its projects, of another team, an administrator, nobody. */
export async function makeCallers(berth: TestPlatform, team: string): Promise<Callers> {
  const { db } = berth.platform
  const all = new Map<string, Caller>()

  async function add(name: string, role: Role, inProject?: Role | null) {
    const user = await berth.makeUser({ teamId: team, role })
    const differs = inProject === undefined ? {} : { inProject }
    all.set(name, { role, ...differs, userId: user.id, session: await openSession(berth, user) })
  }
  for (const role of roles) await add(role, role)
  await add('viewer of the team, developer of the project', 'viewer', 'developer')
  await add('viewer of the team, administrator of the project', 'viewer', 'admin')
  await add('developer of the team, viewer of the project', 'developer', 'viewer')
  await add('developer of the team without the project', 'developer', null)

  const other = await berth.makeTeam('Other')
  const stranger = await berth.makeUser({ teamId: other.id, role: 'owner' })
  all.set('owner of another team', { role: null, session: await openSession(berth, stranger) })
  const administrator = await berth.makeUser()
  await db.user.update({ where: { id: administrator.id }, data: { isAdmin: true } })
  all.set('administrator', {
    role: null,
    isAdministrator: true,
    session: await openSession(berth, administrator),
  })
  const left = await berth.makeUser({ teamId: team, role: 'owner' })
  const session = await openSession(berth, left)
  await db.session.updateMany({ where: { userId: left.id }, data: { revokedAt: new Date() } })
  all.set('session that was ended', { role: null, isNobody: true, session })
  all.set('no session', { role: null, isNobody: true, session: null })

  const members = [...all.values()].flatMap(({ role, userId, inProject }) =>
    role === null || userId === undefined ? [] : [{ role, userId, inProject }],
  )
  return {
    all,
    async enterProject(projectId) {
      const data = members.flatMap(({ userId, inProject }) =>
        inProject === undefined ? [] : [{ projectId, userId, role: inProject }],
      )
      await db.projectAccess.createMany({ data })
    },
    async comeBack() {
      const data = members.map(({ userId, role }) => ({ teamId: team, userId, role }))
      await db.membership.createMany({ data, skipDuplicates: true })
    },
  }
}
