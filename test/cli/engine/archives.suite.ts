/** Images as archives, out and in. */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { makeTar } from '../../support/images.ts'
import type { Stand } from './stand.ts'

export function describeArchives(stand: Stand): void {
  const { engine } = stand

  test('an image goes out as an archive and comes back the same', async () => {
    const { out } = await engine('pull', '-q', stand.image)
    const folder = mkdtempSync(join(tmpdir(), 'berth-archive-'))
    const archive = join(folder, 'tool.tar')
    try {
      expect(await engine('save', '-o', archive, stand.image)).toEqual({ code: 0, out: '', err: '' })
      expect(await engine('save', '-o', join(folder, 'no.tar'), 'nothing')).toMatchObject({ code: 1 })
      expect(existsSync(join(folder, 'no.tar'))).toBe(false)
      const asked = await engine('save', '-o', archive, '-u', 'me', '--password-stdin', out.trim(), 'bare')
      expect(asked).toMatchObject({ code: 1, err: expect.stringContaining('bare') })
      await engine('rmi', stand.image)
      const loaded = await engine('load', '-i', archive)
      expect(loaded).toMatchObject({ code: 0, out: `Loaded image: ${stand.image}\n` })
      expect(JSON.parse((await engine('inspect', stand.image)).out)[0].digest).toBe(out.trim())
      writeFileSync(archive, 'no archive at all')
      expect(await engine('load', '-i', archive)).toMatchObject({
        code: 1,
        err: expect.stringMatching(/archive/),
      })
      const root = join(folder, 'root.tar')
      writeFileSync(root, await makeTar([{ name: 'hello', content: 'there' }]))
      const imported = await engine('import', root, 'bare:1')
      expect(imported).toMatchObject({ code: 0, out: expect.stringMatching(/^sha256:/) })
      expect((await engine('images')).out).toMatch(/^docker.io\/library\/bare +1 /m)
      const changes = ['-c', 'CMD ["/hello", "you"]', '-c', "ENV A=1 B='two words'", '--change', 'USER 7']
      expect((await engine('import', '-m', 'by hand', ...changes, root, 'bare:2')).code).toBe(0)
      const shown = '{{json .Config.Cmd}} {{json .Config.Env}} {{.Config.User}}'
      expect((await engine('inspect', '-f', shown, 'bare:2')).out).toBe(
        '["/hello","you"] ["A=1","B=two words"] 7\n',
      )
      expect((await engine('history', '--format', '{{.Comment}}', 'bare:2')).out).toBe('by hand\n')
      expect(await engine('import', '-c', 'RUN true', root)).toMatchObject({
        ...{ code: 1, err: expect.stringContaining('instruction: CMD') },
      })
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
}
