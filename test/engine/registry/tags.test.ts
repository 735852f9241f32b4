import { afterEach, expect, test } from 'vitest'
import { createRegistryClient } from '../../../engine/registry/client.ts'
import { type HostileRegistry, serve } from '../../support/hostile-registry.ts'

const servers: HostileRegistry[] = []
afterEach(() => {
  for (const server of servers.splice(0)) server.close()
})

/** What a registry with these pages is asked, and what becomes of it. `next` is the address of the page that follows. */
async function listed(page: (query: URLSearchParams) => { body: string; next?: string }) {
  const server = await serve((request, response) => {
    const { body, next } = page(new URL(request.url ?? '', 'http://x').searchParams)
    response.writeHead(200, next === undefined ? {} : { link: `<${next}>; rel="next"` }).end(body)
  })
  servers.push(server)
  const client = createRegistryClient({ limits: { tries: 1 } })
  const asked = () => server.seen.map(({ path }) => path)
  try {
    return { tags: await client.listTags({ registry: server.host, repository: 'team/app' }), asked: asked() }
  } catch (error) {
    return { error, asked: asked() }
  } finally {
    client.close()
  }
}

const tagsOf = (...tags: string[]) => JSON.stringify({ name: 'team/app', tags })

test('tags come page by page, each once, and in order', async () => {
  const pages: Record<string, { body: string; next?: string }> = {
    '': { body: tagsOf('b', 'a'), next: '/v2/team/app/tags/list?n=1000&last=b' },
    b: { body: tagsOf('d', 'b'), next: '?n=2&last=d' },
    d: { body: tagsOf('c') },
  }
  const { tags, asked } = await listed((query) => pages[query.get('last') ?? ''] ?? { body: '{}' })
  expect(tags).toEqual(['a', 'b', 'c', 'd'])
  expect(asked).toEqual(
    ['n=1000', 'n=1000&last=b', 'n=2&last=d'].map((query) => `/v2/team/app/tags/list?${query}`),
  )
})

test.each([
  ['null', '{"name":"team/app","tags":null}'],
  ['no list', '{}'],
])('a repository that has %s for its tags has none', async (_what, body) => {
  expect(await listed(() => ({ body }))).toMatchObject({ tags: [] })
})

test('a page that follows is asked of the same registry, wherever its address leads', async () => {
  const elsewhere = await serve((_request, response) => response.end(tagsOf('stolen')))
  servers.push(elsewhere)
  const { tags, asked } = await listed((query) =>
    query.has('last')
      ? { body: tagsOf('b') }
      : { body: tagsOf('a'), next: `http://${elsewhere.host}/other?last=a` },
  )
  expect(tags).toEqual(['a', 'b'])
  expect(asked[1]).toBe('/v2/team/app/tags/list?last=a')
  expect(elsewhere.seen).toEqual([])
})

let pages = 0
const many = (from: number) => tagsOf(...Array.from({ length: 1_000 }, (_, index) => `t${from + index}`))
test.each<[string, Parameters<typeof listed>[0], string, RegExp]>([
  [
    'the same page again',
    () => ({ body: tagsOf('a'), next: '?last=a' }),
    'invalid',
    /never comes to the end/,
  ],
  [
    'page after page',
    () => ({ body: tagsOf('a'), next: `?last=${++pages}` }),
    'invalid',
    /never comes to the end/,
  ],
  [
    'tags without end',
    (query) => ({
      body: many(Number(query.get('last'))),
      next: `?last=${Number(query.get('last')) + 1_000}`,
    }),
    'limit-exceeded',
    /more than 10000 tags/,
  ],
  ['a tag that is none', () => ({ body: tagsOf('../../x') }), 'invalid', /answers with no list of tags/],
  ['a number among them', () => ({ body: '{"tags":[1]}' }), 'invalid', /answers with no list of tags/],
  ['a web page', () => ({ body: '<html>' }), 'invalid', /answers with no list of tags/],
  ['null', () => ({ body: 'null' }), 'invalid', /answers with no list of tags/],
])('a registry that gives %s is refused', async (_what, page, kind, message) => {
  expect((await listed(page)).error).toMatchObject({ kind, message: expect.stringMatching(message) })
})
