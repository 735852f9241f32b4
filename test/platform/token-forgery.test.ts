/** Tokens and links that are not what they say: forged, run out, for somebody else, or of another kind. */
import { createPrivateKey, generateKeyPairSync } from 'node:crypto'
import { type JWTPayload, SignJWT } from 'jose'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { acceptInvitation, invite, joinByInvitation, readInvitation } from '../../platform/invitations.ts'
import { registryIssuer, registryService } from '../../platform/model/registry.ts'
import { signRegistryToken } from '../../platform/registry/sign-token.ts'
import { verifyRegistryToken } from '../../platform/registry/verify-token.ts'
import { resetPassword } from '../../platform/reset-password.ts'
import { viewerFromToken } from '../../platform/sessions.ts'
import { claimInstallation, createSetupLink } from '../../platform/setup.ts'
import { checkRegisterLink, register } from '../../platform/sign-in/registration.ts'
import { createResetLink } from '../../platform/user-admin.ts'
import { openTestPlatform, operator, type TestPlatform } from '../support/platform.ts'

let berth: TestPlatform

beforeAll(async () => {
  const servers = { postgresUrl: inject('postgresUrl'), redisUrl: inject('redisUrl') }
  berth = await openTestPlatform(servers, { registryKey: true })
})
afterAll(() => berth?.close())

/** What a link that leads nowhere is answered with: of a set-up link there is no such one, of the others it is gone. */
const deadCodes = ['gone', 'not-found']

const access = [{ type: 'repository' as const, name: 'acme/web', actions: ['pull', 'delete'] }]
const verified = async (token: string) => (await verifyRegistryToken(berth.config, token)) !== null

/** As one of ours, signed by whoever says so. */
function signed(key: Parameters<SignJWT['sign']>[0], claims: JWTPayload, alg = 'ES256'): Promise<string> {
  const now = Math.floor(Date.now() / 1_000)
  const usual = { iss: registryIssuer, aud: registryService, sub: 'operator', iat: now, exp: now + 300 }
  return new SignJWT({ ...usual, access, ...claims }).setProtectedHeader({ alg, typ: 'JWT' }).sign(key)
}

test('a registry token counts when our key signed it, for our registry, and it has not run out', async () => {
  const ours = createPrivateKey(berth.config.readSecret('registry.key.pem'))
  const stranger = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
  expect(await verified(await signRegistryToken(berth.config, 'operator', access, 60))).toBe(true)
  expect(await verified(await signed(ours, {}))).toBe(true)
  const now = Math.floor(Date.now() / 1_000)
  // What anybody may read is no secret to sign with.
  const certificate = Buffer.from(berth.config.readSecret('registry.cert.pem'))
  const bad = {
    forged: await signed(stranger, {}),
    'run out': await signed(ours, { exp: now - 1 }),
    'not yet valid': await signed(ours, { nbf: now + 600 }),
    'for another service': await signed(ours, { aud: 'registry.example.org' }),
    'of another issuer': await signed(ours, { iss: 'somebody' }),
    'signed with the certificate': await signed(certificate, {}, 'HS256'),
    unsigned: `${Buffer.from('{"alg":"none"}').toString('base64url')}.${(await signed(ours, {})).split('.')[1]}.`,
    'without rights': await signed(ours, { access: undefined }),
  }
  for (const [what, token] of Object.entries(bad))
    expect([what, await verified(token)]).toEqual([what, false])
})

test('a registry token opens nothing of the API', async () => {
  const token = await signRegistryToken(berth.config, 'operator', access, 60)
  const options = { viaEdge: false, address: '192.0.2.1' }
  expect(await viewerFromToken(berth.platform, token, options)).toBeNull()
})

test('a link of one kind is none of another, and each leads somewhere once', async () => {
  const { platform } = berth
  const tokenOf = ({ url }: { url: string | null }) => new URL(url ?? '').searchParams.get('token') ?? ''
  const team = await berth.makeTeam()
  const user = await berth.makeUser()
  const invitation = tokenOf(await invite(platform, operator, team.id, { email: 'guest@example.org' }))
  const reset = tokenOf(await createResetLink(platform, operator, user.id))
  const setup = tokenOf(await createSetupLink(platform, operator))
  const password = 'several quite unlikely words'
  const person = { name: 'Guest', password }
  const origin = { address: '192.0.2.1' }
  const uses: Record<string, (token: string) => Promise<unknown>> = {
    invitation: (token) => joinByInvitation(platform, { token, ...person }),
    accept: (token) => acceptInvitation(platform, user.viewer, token),
    reset: (token) => resetPassword(platform, { token, password }, origin),
    register: (token) => register(platform, { token, ...person }),
    setup: (token) => claimInstallation(platform, { token, ...person, email: 'eve@example.org' }),
  }
  const codeOf = (work: Promise<unknown>) =>
    work.then(
      () => 'done',
      (error) => error.code as string,
    )
  for (const [kind, token] of Object.entries({ invitation, reset, setup }))
    for (const [use, follow] of Object.entries(uses)) {
      if (use === kind || (kind === 'invitation' && use === 'accept')) continue
      expect([kind, use, deadCodes.includes(await codeOf(follow(token)))]).toEqual([kind, use, true])
    }
  expect(await readInvitation(platform, reset)).toBeNull()
  expect(await checkRegisterLink(platform, reset)).toBeNull()
  for (const [kind, token] of Object.entries({ invitation, reset, setup })) {
    expect([kind, await codeOf(uses[kind]?.(token) ?? Promise.reject())]).toEqual([kind, 'done'])
    const again = await codeOf(uses[kind]?.(token) ?? Promise.reject())
    expect([kind, deadCodes.includes(again)]).toEqual([kind, true])
  }
})
