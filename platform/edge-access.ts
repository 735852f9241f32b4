import type { Viewer } from './access.ts'
import { appAccess } from './app-access.ts'
import { publishApp } from './app-events.ts'
import { lockApp } from './app-lock.ts'
import { record } from './audit.ts'
import { Masked } from './audit-changes.ts'
import { PlatformError } from './errors.ts'
import { enqueue } from './jobs.ts'
import {
  type EdgeAccess,
  edgeAccessSchema,
  type SetEdgeAccessInput,
  type ShownEdgeAccess,
  setEdgeAccessSchema,
} from './model/edge-access.ts'
import type { Platform } from './open.ts'
import { sha512Crypt } from './sha512-crypt.ts'
import { validate } from './validate.ts'

const open: EdgeAccess = { users: [], addresses: [] }

/** Of an app's column. */
export function edgeAccessOf(column: unknown): EdgeAccess {
  return column === null ? open : edgeAccessSchema.parse(column)
}

/** Whom the edge lets in to the app. */
export async function getEdgeAccess(
  platform: Platform,
  viewer: Viewer,
  appId: string,
): Promise<ShownEdgeAccess> {
  await appAccess(platform, viewer, appId, 'app.read')
  const { edgeAccess } = await platform.db.app.findUniqueOrThrow({
    where: { id: appId },
    select: { edgeAccess: true },
  })
  return show(edgeAccessOf(edgeAccess))
}

/**
 * At once, without a deployment: visitors give a name and a password, and come from one of these networks. Throws
 * `invalid` for somebody new without a password.
 */
export async function setEdgeAccess(
  platform: Platform,
  viewer: Viewer,
  appId: string,
  input: SetEdgeAccessInput,
): Promise<ShownEdgeAccess> {
  const { teamId, hostId } = await appAccess(platform, viewer, appId, 'app.change-access')
  const { users, addresses } = validate(setEdgeAccessSchema, input)
  const access = await platform.db.$transaction(async (tx) => {
    const app = await lockApp(tx, appId)
    const before = edgeAccessOf(app.edgeAccess)
    const after: EdgeAccess = {
      addresses: [...new Set(addresses)],
      users: users.map(({ name, password }, at) => {
        const known = before.users.find((user) => user.name === name)
        if (password !== undefined) return { name, hash: sha512Crypt(password) }
        if (known !== undefined) return known
        const message = 'is needed for somebody new'
        const path = `users.${at}.password`
        throw new PlatformError('invalid', `${path}: ${message}`, { fields: [{ path, message }] })
      }),
    }
    await tx.app.update({ where: { id: appId }, data: { edgeAccess: after } })
    await record(tx, viewer, {
      ...{ teamId, action: 'app.change-access', target: { type: 'app', id: appId, name: app.name } },
      ...{ before: factsOf(before), after: factsOf(after) },
    })
    return after
  })
  await publishApp(platform, appId)
  await enqueue(platform, hostId, 'sync-edge', { hostId })
  return show(access)
}

function factsOf({ users, addresses }: EdgeAccess) {
  return { addresses, users: Object.fromEntries(users.map(({ name, hash }) => [name, new Masked(hash)])) }
}

function show({ users, addresses }: EdgeAccess): ShownEdgeAccess {
  return { users: users.map(({ name }) => ({ name })), addresses }
}
