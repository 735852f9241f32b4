import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { desiredCertificates } from '../../platform/certificates/desired.ts'
import { removeCertificate, setCertificate } from '../../platform/domains/certificate.ts'
import { addDomain, listDomains } from '../../platform/domains/domains.ts'
import type { App } from '../../platform/model/resources.ts'
import type { Platform } from '../../platform/open.ts'
import { openTestPlatform, operator, type TestPlatform } from '../support/platform.ts'

const ec = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256']
const name = 'shop.test'
let berth: TestPlatform
let platform: Platform
let app: App
let folder: string
let number = 0
let root: Made
let middle: Made

interface Made {
  cert: string
  key: string
  /** Files, for openssl. */
  files: { cert: string; key: string }
}

interface MakeOptions {
  names?: string[]
  by?: Made
  isAuthority?: boolean
  newKey?: string[]
  hash?: string
  extensions?: string[]
  from?: string
  until?: string
}

/** As people get them: by openssl, a request and then its signature. */
function make(options: MakeOptions = {}): Made {
  const { names = [name], by, isAuthority = false, newKey = ec, hash = 'sha256' } = options
  const at = (what: string) => join(folder, `${number}.${what}`)
  number += 1
  const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: 'pipe', cwd: folder })
  openssl('req', ...newKey, '-nodes', '-keyout', at('key'), '-out', at('csr'), '-subj', `/CN=${number}`)
  const lines = [
    `basicConstraints=critical,CA:${isAuthority ? 'TRUE' : 'FALSE'}`,
    ...(isAuthority || names.length === 0
      ? []
      : [`subjectAltName=${names.map((each) => `DNS:${each}`).join(',')}`]),
    ...(options.extensions ?? []),
  ]
  const { from = '20260101000000Z', until = '20991231235959Z' } = options
  const config = [
    '[ca]\ndefault_ca=d\n[d]\ndatabase=index\nnew_certs_dir=.\nrand_serial=yes\npolicy=p\nunique_subject=no\nemail_in_dn=no',
    `default_md=${hash}\n[p]\ncommonName=supplied\n[e]\n${lines.join('\n')}\n`,
  ].join('\n')
  writeFileSync(at('cnf'), config)
  writeFileSync(join(folder, 'index'), '')
  const signer =
    by === undefined
      ? ['-selfsign', '-keyfile', at('key')]
      : ['-cert', by.files.cert, '-keyfile', by.files.key]
  openssl(
    ...[
      'ca',
      '-batch',
      '-notext',
      '-config',
      at('cnf'),
      '-extensions',
      'e',
      '-in',
      at('csr'),
      '-out',
      at('cert'),
    ],
    ...['-startdate', from, '-enddate', until, ...signer],
  )
  const files = { cert: at('cert'), key: at('key') }
  return { cert: readFileSync(files.cert, 'utf8'), key: readFileSync(files.key, 'utf8'), files }
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'berth-uploaded-'))
  root = make({ isAuthority: true })
  middle = make({ isAuthority: true, by: root })
  berth = await openTestPlatform({ postgresUrl: inject('postgresUrl'), redisUrl: inject('redisUrl') })
  platform = { ...berth.platform, config: { ...berth.config, httpsPort: 7443 } }
  app = await berth.makeApp((await berth.makeTeam('Acme')).id)
  await addDomain(platform, operator, app.id, { name })
  await addDomain(platform, operator, app.id, { name: '*.wild.test' })
})
afterAll(async () => {
  await berth?.close()
  rmSync(folder, { recursive: true, force: true })
})

const idOf = async (which = name) => {
  const found = (await listDomains(platform, operator, app.id)).find((each) => each.name === which)
  if (found === undefined) throw new Error(`no domain ${which}`)
  return found.id
}
const served = async (which = name) =>
  (await desiredCertificates(platform, platform.config.hostId)).others.find((each) => each.name === which)

test('an uploaded certificate is served whole, shown without its key, and gone when it is removed', async () => {
  const own = await served()
  const leaf = make({ by: middle, names: ['other.test', name] })
  const noise = `subject=somebody\n${leaf.cert}\n\n${middle.cert}\n${root.cert}\n# the end`
  const shown = await setCertificate(platform, operator, await idOf(), {
    chain: noise,
    key: `x\n${leaf.key}`,
  })
  expect(shown).toMatchObject({
    sendsToHttps: true,
    url: `https://${name}:7443`,
    certificate: { source: 'custom', expiresAt: '2099-12-31T23:59:59.000Z' },
  })
  expect(JSON.stringify(shown)).not.toContain('PRIVATE KEY')
  const found = await served()
  expect(found?.fingerprint).toBe(shown.certificate?.fingerprint)
  const { readPem } = await desiredCertificates(platform, platform.config.hostId)
  const pem = found === undefined ? '' : ((await readPem(found)) ?? '')
  const blocks = [leaf.cert, middle.cert, root.cert].map((text) => text.trim()).join('\n')
  expect(pem.startsWith(blocks)).toBe(true)
  expect(pem.slice(blocks.length)).toMatch(
    /^\n-----BEGIN PRIVATE KEY-----\n[^-]+-----END PRIVATE KEY-----\n$/,
  )
  const row = await platform.db.certificate.findUniqueOrThrow({ where: { name } })
  expect(JSON.stringify(row)).not.toContain('PRIVATE KEY')

  await removeCertificate(platform, operator, await idOf())
  expect((await served())?.fingerprint).not.toBe(shown.certificate?.fingerprint)
  expect((await served())?.fingerprint).not.toBe(own?.fingerprint)
  await expect(removeCertificate(platform, operator, await idOf())).rejects.toMatchObject({
    code: 'conflict',
  })
})

test('one of a wildcard is good for names one below, and a wildcard wants its own', async () => {
  const wild = make({ by: root, names: ['*.wild.test'] })
  await setCertificate(platform, operator, await idOf('*.wild.test'), { chain: wild.cert, key: wild.key })
  expect(await served('*.wild.test')).toBeDefined()
  const exact = make({ by: root, names: ['a.wild.test'] })
  await expect(
    setCertificate(platform, operator, await idOf('*.wild.test'), { chain: exact.cert, key: exact.key }),
  ).rejects.toMatchObject({
    fields: [{ path: 'chain', message: 'is for a.wild.test, and not for *.wild.test' }],
  })
})

test('a name that nobody has shown yet gets none', async () => {
  const domain = await addDomain(platform, operator, app.id, { name: 'unshown.example' })
  const leaf = make({ names: ['unshown.example'] })
  await expect(
    setCertificate(platform, operator, domain.id, { chain: leaf.cert, key: leaf.key }),
  ).rejects.toMatchObject({ code: 'conflict' })
  expect(await platform.db.certificate.count({ where: { name: 'unshown.example' } })).toBe(0)
})

const rsa = (bits: number) => ['-newkey', `rsa:${bits}`]
const bad: [string, () => { chain: string; key: string }, 'chain' | 'key', RegExp][] = [
  ['no PEM', () => ({ chain: 'hello', key: make().key }), 'chain', /^must be PEM certificates/],
  ['an empty one', () => ({ chain: ' ', key: ' ' }), 'chain', /^must not be empty$/],
  [
    'a huge one',
    () => ({ chain: 'x'.repeat(70_000), key: 'x' }),
    'chain',
    /^must be at most 65536 characters$/,
  ],
  [
    'a damaged one',
    () => {
      const { cert, key } = make()
      return { chain: cert.replace(/\n[A-Za-z0-9+/]{20}/, '\nAAAAAAAAAAAAAAAAAAAA'), key }
    },
    'chain',
    /^can't be read: certificate 1 is damaged/,
  ],
  [
    'too many',
    () => {
      const { cert, key } = make()
      return { chain: cert.repeat(11), key }
    },
    'chain',
    /^must be at most 10 certificates$/,
  ],
  [
    'a key among them',
    () => {
      const { cert, key } = make()
      return { chain: cert + key, key }
    },
    'chain',
    /^must not hold the key/,
  ],
  [
    'another key',
    () => ({ chain: make().cert, key: make().key }),
    'key',
    /^does not belong to the certificate$/,
  ],
  ['no key', () => ({ chain: make().cert, key: make().cert }), 'key', /^must be a private key in PEM$/],
  [
    'a damaged key',
    () => {
      const { cert, key } = make()
      return { chain: cert, key: key.replace(/\n.{30}/, '\n') }
    },
    'key',
    /^can't be read/,
  ],
  [
    'a key with a passphrase',
    () => {
      const { cert, files } = make()
      const key = execFileSync('openssl', ['pkey', '-in', files.key, '-aes256', '-passout', 'pass:secret'])
      return { chain: cert, key: key.toString() }
    },
    'key',
    /^is protected by a passphrase/,
  ],
  [
    'the chain before it',
    () => {
      const { cert, key } = make({ by: middle })
      return { chain: middle.cert + cert, key }
    },
    'chain',
    /^has its own certificate at place 2/,
  ],
  [
    'a gap in the chain',
    () => {
      const { cert, key } = make({ by: middle })
      return { chain: cert + root.cert, key }
    },
    'chain',
    /^is not in order: certificate 1 was not signed by certificate 2$/,
  ],
  [
    'another name',
    () => make2({ names: ['a.test', 'b.test'] }),
    'chain',
    /^is for a\.test, b\.test, and not for shop\.test$/,
  ],
  ['a deeper wildcard', () => make2({ names: ['*.shop.test'] }), 'chain', /not for shop\.test$/],
  ['no name', () => make2({ names: [] }), 'chain', /^names no host, so not shop\.test$/],
  [
    'one that ended',
    () => make2({ until: '20260201000000Z' }),
    'chain',
    /^has ended: certificate 1 was good until 2026-02-01$/,
  ],
  [
    'one of the future',
    () => make2({ from: '20980101000000Z' }),
    'chain',
    /^is not good yet: certificate 1 is from 2098-01-01 on$/,
  ],
  [
    'a chain that ended',
    () => {
      const ended = make({ isAuthority: true, by: root, until: '20260201000000Z' })
      const { cert, key } = make({ by: ended })
      return { chain: cert + ended.cert, key }
    },
    'chain',
    /^has ended: certificate 2 /,
  ],
  ['a weak key', () => make2({ newKey: rsa(1_024) }), 'key', /^is too weak: 1024 bits of RSA/],
  [
    'a curve that browsers lack',
    () => make2({ newKey: ['-newkey', 'ed25519'], hash: 'default' }),
    'key',
    /^must be of RSA/,
  ],
  [
    'a weak signature',
    () => make2({ by: root, hash: 'sha1' }),
    'chain',
    /^certificate 1 is signed with a hash that browsers refuse$/,
  ],
  [
    'one for signing mail',
    () => make2({ extensions: ['extendedKeyUsage=emailProtection'] }),
    'chain',
    /^is not for servers/,
  ],
]

function make2(options: MakeOptions): { chain: string; key: string } {
  const { cert, key } = make(options)
  return { chain: cert, key }
}

test.each(bad)(
  '%s is refused with a sentence at the field, and what was served stays',
  async (_, input, path, message) => {
    const before = await served()
    await expect(setCertificate(platform, operator, await idOf(), input())).rejects.toMatchObject({
      code: 'invalid',
      fields: expect.arrayContaining([{ path, message: expect.stringMatching(message) }]),
    })
    expect(await served()).toEqual(before)
  },
)
