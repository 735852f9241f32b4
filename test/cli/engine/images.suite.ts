/** Images: pulled, listed, named and removed. */
import { expect, test } from 'vitest'
import type { Stand } from './stand.ts'

export function describeImages(stand: Stand): void {
  const { engine } = stand

  test('an image is pulled with its layers shown, listed, inspected and removed', async () => {
    const pulled = await engine('pull', stand.image)
    expect(pulled).toMatchObject({ code: 0, out: expect.stringMatching(/^sha256:[0-9a-f]{64}\n$/) })
    expect(pulled.err).toMatch(/^[0-9a-f]{12}: Done$/m)
    const digest = pulled.out.trim()
    const [row] = JSON.parse((await engine('images', '--json')).out)
    expect(row).toMatchObject({ digest, references: [stand.image] })
    const listed = (await engine('images')).out
    expect(listed).toMatch(/^REPOSITORY +TAG +DIGEST +CREATED +SIZE\n/)
    expect(listed).toMatch(new RegExp(`^localhost:\\d+/acme/tool +latest +${digest.slice(7, 19)} `, 'm'))
    const [, repository] = /^(.*):latest$/.exec(stand.image) ?? []
    expect((await engine('images', '--digests', '-a', String(repository))).out).toContain(` ${digest} `)
    expect((await engine('images', '-q', '--no-trunc', '-f', 'reference=*/acme/t*')).out).toBe(`${digest}\n`)
    expect((await engine('images', '-q', '--filter', 'dangling=true')).out).toBe('')
    expect((await engine('images', '-q', 'nginx')).out).toBe('')
    const name = { Repository: repository, Tag: 'latest', ID: digest.slice(7, 19), Digest: digest }
    expect(JSON.parse((await engine('images', '--format', 'json')).out)).toMatchObject(name)
    expect((await engine('images', '--format', '{{.Repository}}:{{.Tag}}')).out).toBe(`${stand.image}\n`)
    expect((await engine('images', '--format', 'table {{.Tag}}\\t{{.ID}}')).out).toBe(
      `TAG      DIGEST\nlatest   ${digest.slice(7, 19)}\n`,
    )
    expect((await engine('images', '-q', '-f', `since=${stand.image}`)).out).toBe('')
    expect(await engine('images', '-q', '-f', 'before=nothing')).toMatchObject({ code: 1, out: '' })
    expect(await engine('images', '-f', 'size=1')).toMatchObject({
      code: 1,
      err: expect.stringContaining('dangling=true'),
    })
    expect(await engine('pull', '--platform', 'linux/s390x', stand.image)).toMatchObject({
      code: 1,
      out: '',
      err: expect.stringMatching(/has no image for linux\/s390x, only for linux\//),
    })
    const [inspected] = JSON.parse((await engine('inspect', stand.image)).out)
    expect(inspected).toMatchObject({ digest, config: { command: ['/bin/sh', '-c', 'echo hello'] } })
    expect((await engine('history', stand.image)).out).toMatch(
      new RegExp(`^LAYER .*\n${inspected.layers.at(-1).slice(7, 19)} `),
    )
    expect((await engine('history', '-q', '--no-trunc', stand.image)).out).toContain(inspected.layers.at(-1))
    expect(
      (await engine('history', '--human=false', '--format', '{{.ID}} {{.Size}}', stand.image)).out,
    ).toMatch(/^[0-9a-f]{12} \d{3,}$/m)
    const asDocker = '{{.Os}} {{json .Config.Cmd}} {{index .RepoTags 0}} {{len .RootFS.Layers}}'
    expect((await engine('inspect', '--type', 'image', '-f', asDocker, stand.image)).out).toBe(
      `linux ["/bin/sh","-c","echo hello"] ${stand.image} ${inspected.layers.length}\n`,
    )
    expect(await engine('inspect', '--type', 'container', stand.image)).toMatchObject({ code: 1, out: '' })
    expect(await engine('tag', stand.image, 'tool:mine')).toEqual({ code: 0, out: '', err: '' })
    const short = digest.slice(7, 15)
    expect(await engine('rmi', short)).toMatchObject({ code: 1, err: expect.stringMatching(/names|force/) })
    expect(await engine('rmi', stand.image, 'nothing')).toEqual({
      code: 1,
      out: `Untagged: ${stand.image}\n`,
      err: expect.stringMatching(/nothing/),
    })
    expect(await engine('rmi', '-f', short)).toEqual({
      code: 0,
      out: `Untagged: docker.io/library/tool:mine\nDeleted: ${digest}\n`,
      err: '',
    })
    expect((await engine('images', '-q')).out).toBe('')
    expect(await engine('image', 'ls', '-q')).toEqual({ code: 0, out: '', err: '' })
    for (const words of [['image'], ['image', 'build', '-t', 'x', '.']])
      expect(await engine(...words)).toMatchObject({
        code: 1,
        err: expect.stringMatching(/There is image .*ls/),
      })
  })

  test('on a terminal each layer has a line that is drawn again in place', async () => {
    const { code, shown } = await stand.typed(`pull ${stand.image}`, async () => {})
    expect(code).toBe(0)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the terminal's own words
    expect(shown).toMatch(/\x1b\[3A\x1b\[2K\S*[0-9a-f]{12}: [\s\S]*: Done[\s\S]* in [\d.]+ s[\s\S]*sha256:/)
    await engine('rmi', stand.image)
  })
}
