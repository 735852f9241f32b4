import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { AddressProblem, normalizeAddress, reachableAddresses } from '../../platform/git/address.ts'
import { deployFromGit } from '../../platform/git/deploy.ts'
import { openRemote } from '../../platform/git/remote.ts'
import { readGitSource, removeGitSource, renewDeployKey, setGitSource } from '../../platform/git/source.ts'
import { fingerprintOf, makeDeployKey } from '../../platform/git/ssh-key.ts'
import { gitSourceInputSchema } from '../../platform/model/git-source.ts'
import { openTestPlatform, operator, type TestPlatform } from '../support/platform.ts'

let berth: TestPlatform
let appId: string

beforeAll(async () => {
  berth = await openTestPlatform({ postgresUrl: inject('postgresUrl'), redisUrl: inject('redisUrl') })
  appId = (await berth.makeApp((await berth.makeTeam()).id)).id
})

afterAll(async () => {
  await berth?.close()
})

const set = (input: Parameters<typeof setGitSource>[3]) =>
  setGitSource(berth.platform, operator, appId, input)

const rowOf = () => berth.platform.db.gitSource.findUniqueOrThrow({ where: { appId } })

describe('addresses', () => {
  test('what people paste is kept in one form', () => {
    expect(normalizeAddress('git@github.com:acme/shop.git')).toBe('ssh://git@github.com/acme/shop.git')
    expect(normalizeAddress('https://GitHub.com/acme/shop/')).toBe('https://github.com/acme/shop')
    expect(normalizeAddress('ssh://git@Git.Example:2222/acme/shop')).toBe(
      'ssh://git@git.example:2222/acme/shop',
    )
  })

  test.each([
    ...[
      'http://github.com/a/b',
      'git://github.com/a/b',
      'file:///etc',
      '/etc/passwd',
      '../x',
      'ext::sh -c id',
    ],
    ...[
      '-oProxyCommand=x',
      '--upload-pack=x',
      'ssh://-oProxyCommand=x/y',
      'ssh://git@-x/y',
      'ssh://github.com/a',
    ],
    ...['https://user:token@github.com/a', 'https://token@github.com/a', 'ssh://a:b@github.com/a'],
    ...['https://github.com', 'https://github.com/a?x=1', 'https://github.com/a b', 'https://git\nhub.com/a'],
    ...['ssh://-x@github.com/a', 'https://github.com/-x', 'fd::17/foo', 'https://гит.example/a', ''],
  ])('%s is none', (address) => {
    expect(() => normalizeAddress(address)).toThrow(AddressProblem)
  })

  test.each([
    ...['https://127.0.0.1/a', 'https://localhost/a', 'https://169.254.169.254/a', 'ssh://git@10.0.0.1/a'],
    ...[
      'https://[::1]/a',
      'https://[fd00::1]/a',
      'https://0x7f.1/a',
      'https://2130706433/a',
      'https://192.168.1.1/a',
    ],
  ])('%s is where only the administrator may let Berth ask', async (address) => {
    await expect(reachableAddresses({ privateHosts: [] }, normalizeAddress(address))).rejects.toThrow(
      AddressProblem,
    )
  })

  test('an administrator may allow a private host, by name or network', async () => {
    expect(await reachableAddresses({ privateHosts: ['10.0.0.0/8'] }, 'ssh://git@10.0.0.1/a')).toEqual([
      '10.0.0.1',
    ])
    expect(await reachableAddresses({ privateHosts: ['localhost'] }, 'https://localhost/a')).toEqual([
      '127.0.0.1',
    ])
  })
})

test('a deploy key is one that OpenSSH reads, with the fingerprint that it says', () => {
  const { privateKey, publicKey } = makeDeployKey('berth Shop')
  const folder = mkdtempSync(join(tmpdir(), 'berth-key-'))
  try {
    const file = join(folder, 'key')
    writeFileSync(file, privateKey, { mode: 0o600 })
    const said = (...args: string[]) => execFileSync('ssh-keygen', args).toString().trim()
    expect(said('-y', '-f', file)).toBe(`${publicKey} berth Shop`)
    expect(said('-l', '-f', file)).toContain(fingerprintOf(publicKey))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})

test('keys of hosts are read as ssh-keyscan prints them, and what is none is refused', () => {
  const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl'
  const parse = (line: string) => gitSourceInputSchema.safeParse({ address: 'x', hostKeys: [line] })
  for (const line of [key, `github.com ${key}`, `[git.example]:2222 ${key} comment`])
    expect(parse(line).data?.hostKeys).toEqual([key])
  for (const line of ['', 'ssh-ed25519', 'github.com', '@cert-authority *'])
    expect(parse(line).success).toBe(false)
})

test('a token is told to nobody, kept while the host is the same, and forgotten when it is another', async () => {
  const kept = await set({ address: 'https://9.9.9.9/a', token: 'secret-token' })
  expect(kept).toMatchObject({ hasToken: true, deployKey: null })
  expect(JSON.stringify([kept, await rowOf()])).not.toContain('secret-token')
  expect((await openRemote(berth.platform, await rowOf())).credentials).toEqual({
    username: 'oauth2',
    password: 'secret-token',
  })
  expect(await set({ address: 'https://9.9.9.9/b', username: 'me' })).toMatchObject({ hasToken: true })
  for (const address of ['https://9.9.9.10/b', 'https://9.9.9.9:444/b', 'ssh://git@9.9.9.9/b']) {
    await set({ address: 'https://9.9.9.9/b', token: 'secret-token' })
    expect(await set({ address })).toMatchObject({ address, hasToken: false })
  }
  await set({ address: 'https://9.9.9.9/b', token: 'secret-token' })
  expect(await set({ address: 'https://9.9.9.9/b', token: null })).toMatchObject({ hasToken: false })
  const told = JSON.stringify(await berth.platform.db.auditEvent.findMany())
  expect(told).toContain('git-source.set')
  expect(told).not.toContain('secret-token')
})

test('a deploy key stays when the repository changes, and another is made when one asks for it', async () => {
  const first = await set({ address: 'git@9.9.9.9:a' })
  expect(first.deployKey?.key).toMatch(/^ssh-ed25519 AAAA/)
  expect((await set({ address: 'git@9.9.9.10:b' })).deployKey).toEqual(first.deployKey)
  const renewed = await renewDeployKey(berth.platform, operator, appId)
  expect(renewed.deployKey?.key).not.toBe(first.deployKey?.key)
  const { sshKey = '' } = await openRemote(berth.platform, await rowOf())
  expect(sshKey).toContain('BEGIN OPENSSH PRIVATE KEY')
  expect(JSON.stringify([renewed, await rowOf()])).not.toContain('OPENSSH PRIVATE')
  await expect(set({ address: 'git@9.9.9.9:a', token: 'x' })).rejects.toMatchObject({ code: 'invalid' })
})

test('what is no branch, tag or commit is refused, with the field', async () => {
  const address = 'https://9.9.9.9/a'
  for (const name of ['-x', 'a b', 'a..b', 'a:b', 'x.lock', '/a', 'a~1', 'a\nb', '@{u}', ''])
    await expect(set({ address, ref: { kind: 'branch', name } })).rejects.toMatchObject({ code: 'invalid' })
  await expect(set({ address, ref: { kind: 'commit', name: 'abc' } })).rejects.toMatchObject({
    code: 'invalid',
  })
  await expect(set({ address: 'file:///etc' })).rejects.toMatchObject({ fields: [{ path: 'address' }] })
})

test('without a source nothing is deployed from Git', async () => {
  await removeGitSource(berth.platform, operator, appId)
  expect(await readGitSource(berth.platform, operator, appId)).toBeNull()
  await expect(deployFromGit(berth.platform, operator, appId)).rejects.toMatchObject({ code: 'conflict' })
  await expect(removeGitSource(berth.platform, operator, appId)).rejects.toMatchObject({ code: 'not-found' })
})
