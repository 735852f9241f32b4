import { createHmac, randomUUID } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest'
import { answerGitWebhook } from '../../app/_server/git-webhook.ts'
import { readGitSource, setGitSource } from '../../platform/git/source.ts'
import { type StatusFacts, statusRequest } from '../../platform/git/status-requests.ts'
import { isWatched } from '../../platform/git/watched.ts'
import { makeGitWebhook, type NewGitWebhook } from '../../platform/git/webhooks/hooks.ts'
import { signatureHeaders } from '../../platform/notifications/signature.ts'
import { openTestPlatform, operator, type TestPlatform } from '../support/platform.ts'

let berth: TestPlatform
let appId: string
let hook: NewGitWebhook

const address = 'https://9.9.9.9/acme/shop.git'

beforeAll(async () => {
  berth = await openTestPlatform({ postgresUrl: inject('postgresUrl'), redisUrl: inject('redisUrl') })
  appId = (await berth.makeApp((await berth.makeTeam()).id)).id
})

beforeEach(async () => {
  await setGitSource(berth.platform, operator, appId, { address })
  hook = await makeGitWebhook(berth.platform, operator, appId)
  await berth.platform.db.gitSource.update({ where: { appId }, data: { lookAt: null, pushedAt: null } })
})

afterAll(async () => {
  await berth?.close()
})

async function send(body: string, headers: Record<string, string>, url = hook.url) {
  const request = new Request(url, { method: 'POST', body, headers })
  const answer = await answerGitWebhook(berth.platform, url.split('/').at(-1) ?? '', request)
  return { status: answer.status, ...((await answer.json()) as { result?: string; detail?: string }) }
}

const hex = (body: string, secret = hook.secret) => createHmac('sha256', secret).update(body).digest('hex')

/** A push of a branch as each forge tells of it; `salt` makes another body. */
const forges = {
  github: (branch: string, salt = randomUUID()) => {
    const body = JSON.stringify({ ref: `refs/heads/${branch}`, after: salt })
    return {
      body,
      headers: {
        'x-github-event': 'push',
        'x-github-delivery': randomUUID(),
        'x-hub-signature-256': `sha256=${hex(body)}`,
      },
    }
  },
  gitea: (branch: string, salt = randomUUID()) => {
    const body = JSON.stringify({ ref: `refs/heads/${branch}`, after: salt })
    // It says that it is GitHub as well.
    return {
      body,
      headers: {
        'x-gitea-event': 'push',
        'x-github-event': 'push',
        'x-gitea-delivery': randomUUID(),
        'x-gitea-signature': hex(body),
      },
    }
  },
  gitlab: (branch: string, salt = randomUUID()) => {
    const body = JSON.stringify({ ref: `refs/heads/${branch}`, checkout_sha: salt })
    return {
      body,
      headers: {
        'x-gitlab-event': 'Push Hook',
        'x-gitlab-event-uuid': randomUUID(),
        'x-gitlab-token': hook.secret,
      },
    }
  },
  bitbucket: (branch: string, salt = randomUUID()) => {
    const body = JSON.stringify({
      salt,
      push: { changes: [{ new: null }, { new: { type: 'branch', name: branch } }] },
    })
    return {
      body,
      headers: {
        'x-event-key': 'repo:push',
        'x-request-uuid': randomUUID(),
        'x-hub-signature': `sha256=${hex(body)}`,
      },
    }
  },
  generic: (branch: string) => {
    const body = JSON.stringify({ ref: branch })
    return { body, headers: signatureHeaders(hook.secret, { id: randomUUID(), body, at: new Date() }) }
  },
}

const isDue = async () =>
  (await berth.platform.db.gitSource.findUniqueOrThrow({ where: { appId } })).pushedAt !== null

describe.each(Object.keys(forges) as (keyof typeof forges)[])('%s', (forge) => {
  test('a push of the branch is looked at; one of another is not', async () => {
    const other = forges[forge]('other')
    expect(await send(other.body, other.headers)).toMatchObject({ status: 200, result: 'ignored' })
    expect(await isDue()).toBe(false)
    const { body, headers } = forges[forge]('main')
    expect(await send(body, headers)).toMatchObject({ status: 202, result: 'accepted' })
    expect(await isDue()).toBe(true)
  })

  test('what is not signed, signed with another secret or for another content is refused', async () => {
    const { body, headers } = forges[forge]('main')
    const bad = Object.fromEntries(
      Object.entries(headers).map(([name, value]) =>
        /signature|token/.test(name)
          ? [name, value.replace(/.$/, (last) => (last === '0' ? '1' : '0'))]
          : [name, value],
      ),
    )
    const none = Object.fromEntries(Object.entries(headers).filter(([name]) => !/signature|token/.test(name)))
    expect(await send(body, bad)).toMatchObject({ status: 401 })
    expect(await send(body, none)).toMatchObject({ status: 401 })
    if (forge !== 'gitlab') expect(await send(`${body} `, headers)).toMatchObject({ status: 401 })
    await makeGitWebhook(berth.platform, operator, appId)
    expect(await send(body, headers)).toMatchObject({ status: 401 })
    expect(await isDue()).toBe(false)
  })

  test('the same delivery a second time is refused, also under another name', async () => {
    const { body, headers } = forges[forge]('main')
    expect(await send(body, headers)).toMatchObject({ status: 202 })
    expect(await send(body, headers)).toMatchObject({ status: 409 })
    if (forge === 'generic') return
    const renamed = Object.fromEntries(
      Object.entries(headers).map(([name, value]) =>
        /delivery|uuid/.test(name) ? [name, randomUUID()] : [name, value],
      ),
    )
    expect(await send(body, renamed)).toMatchObject({ status: 409 })
  })
})

test('a ping is answered, other events are not looked at, and an old message of the generic form is refused', async () => {
  const body = '{"zen": "x"}'
  const signed = { 'x-hub-signature-256': `sha256=${hex(body)}` }
  expect(await send(body, { ...signed, 'x-github-event': 'ping' })).toMatchObject({
    status: 200,
    result: 'pong',
  })
  expect(await send(body, { ...signed, 'x-github-event': 'star' })).toMatchObject({
    status: 200,
    result: 'ignored',
  })
  const old = signatureHeaders(hook.secret, { id: 'a', body, at: new Date(Date.now() - 600_000) })
  expect(await send(body, old)).toMatchObject({ status: 401 })
  expect(await send('', signatureHeaders(hook.secret, { id: 'b', body: '', at: new Date() }))).toMatchObject({
    status: 202,
  })
})

test('a form with the document in a field is read; what is no push, too large or for nobody is refused', async () => {
  const form = new URLSearchParams({ payload: JSON.stringify({ ref: 'refs/heads/main' }) }).toString()
  const headers = { 'x-github-event': 'push', 'content-type': 'application/x-www-form-urlencoded' }
  expect(await send(form, { ...headers, 'x-hub-signature-256': `sha256=${hex(form)}` })).toMatchObject({
    status: 202,
  })
  for (const body of ['{', '[]', '{"ref": 1}', 'null'])
    expect(
      await send(body, { 'x-github-event': 'push', 'x-hub-signature-256': `sha256=${hex(body)}` }),
    ).toMatchObject({ status: 400 })
  const large = `{"ref": "refs/heads/main", "x": "${'x'.repeat(5 * 2 ** 20)}"}`
  expect(
    await send(large, { 'x-github-event': 'push', 'x-hub-signature-256': `sha256=${hex(large)}` }),
  ).toMatchObject({ status: 413 })
  const { body, headers: good } = forges.github('main')
  expect(await send(body, good, `${hook.url}x`)).toMatchObject({ status: 404 })
  const desiredState = (state: 'deleted' | 'running') =>
    berth.platform.db.app.update({ where: { id: appId }, data: { desiredState: state } })
  await desiredState('deleted')
  expect(await send(body, good)).toMatchObject({ status: 404 })
  await desiredState('running')
  expect(await send(body, good)).toMatchObject({ status: 202 })
})

test('an app that is not deployed by pushes is not, and the forge is known from what it sends', async () => {
  const push = forges.gitea('main')
  await send(push.body, push.headers)
  expect(await readGitSource(berth.platform, operator, appId)).toMatchObject({
    forge: 'gitea',
    webhook: { url: hook.url, lastDeliveryAt: expect.any(String) },
  })
  await setGitSource(berth.platform, operator, appId, { address, autoDeploy: false })
  const next = forges.github('main')
  expect(await send(next.body, next.headers)).toMatchObject({ status: 200, result: 'ignored' })
})

test('a secret is told once, and its address stays when it gets another', async () => {
  const next = await makeGitWebhook(berth.platform, operator, appId)
  expect(next.url).toBe(hook.url)
  expect(next.secret).not.toBe(hook.secret)
  const kept = await berth.platform.db.gitSource.findUnique({ where: { appId } })
  const told = [
    kept,
    await readGitSource(berth.platform, operator, appId),
    await berth.platform.db.auditEvent.findMany(),
  ]
  expect(JSON.stringify(told)).not.toContain(next.secret)
})

test('which paths are watched', () => {
  const cases: [string[], string, boolean][] = [
    [[], 'a', true],
    [['web'], 'web/index.html', true],
    [['web/'], 'web', true],
    [['./web'], 'web/a/b', true],
    [['web'], 'website/a', false],
    [['*.md'], 'README.md', true],
    [['*.md'], 'docs/README.md', false],
    [['**/*.md'], 'README.md', true],
    [['**/*.md'], 'a/b/README.md', true],
    [['apps/*/src'], 'apps/shop/src/x.ts', true],
    [['apps/*/src'], 'apps/shop/test/x.ts', false],
    [['apps/**/x'], 'apps/x', true],
    [['api', 'lib/*.go'], 'lib/a.go', true],
    [['a*b*c'], 'axxbxxc', true],
    [['a*b*c'], 'axxc', false],
    [['a*a'], 'a', false],
    [['**'], 'x/y', true],
  ]
  for (const [patterns, path, expected] of cases)
    expect(isWatched(patterns, [path]), `${patterns} ${path}`).toBe(expected)
  expect(isWatched(['web'], [])).toBe(false)
  const started = performance.now()
  isWatched(
    [`${'*a'.repeat(100)}b`, `${'**/'.repeat(100)}b`],
    Array.from({ length: 50 }, () => `${'a'.repeat(250)}/${'a/'.repeat(50)}c`),
  )
  expect(performance.now() - started).toBeLessThan(1_000)
})

test('each forge is told of a commit in its own words', () => {
  const facts: StatusFacts = {
    ...{ address: 'https://github.com/acme/shop.git', forge: null, username: '', token: 't', sha: 'abc' },
    ...{ state: 'failure', context: 'berth/Shop', description: 'no', url: 'http://berth/x' },
  }
  const of = (change: Partial<StatusFacts>) => {
    const request = statusRequest({ ...facts, ...change })
    return request && { ...(JSON.parse(request.body) as object), ...request.headers, url: request.url }
  }
  expect(of({})).toMatchObject({
    url: 'https://api.github.com/repos/acme/shop/statuses/abc',
    authorization: 'Bearer t',
    state: 'failure',
    context: 'berth/Shop',
    target_url: 'http://berth/x',
  })
  expect(of({ address: 'https://git.example/a/b', forge: 'github' })?.url).toBe(
    'https://git.example/api/v3/repos/a/b/statuses/abc',
  )
  expect(of({ address: 'https://gitlab.com/a/b/c.git' })).toMatchObject({
    url: 'https://gitlab.com/api/v4/projects/a%2Fb%2Fc/statuses/abc',
    'private-token': 't',
    state: 'failed',
  })
  expect(of({ address: 'https://git.example/a/b.git', forge: 'gitea' })).toMatchObject({
    url: 'https://git.example/api/v1/repos/a/b/statuses/abc',
    authorization: 'token t',
  })
  expect(of({ address: 'https://bitbucket.org/a/b', state: 'pending' })).toMatchObject({
    url: 'https://api.bitbucket.org/2.0/repositories/a/b/commit/abc/statuses/build',
    state: 'INPROGRESS',
  })
  expect(of({ address: 'https://git.example/a/b.git' })).toBeNull()
})
