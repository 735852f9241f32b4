/** Files go in and out. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { makeTar } from '../../support/images.ts'
import type { Stand } from './stand.ts'

export function describeCopy(stand: Stand): void {
  const { engine, start } = stand

  test('files go into a container and out of it, and what changed is listed', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'berth-copy-'))
    try {
      await engine('run', '-d', '--name', 'files', stand.image, 'sleep', '1000')
      mkdirSync(join(folder, 'in/deep'), { recursive: true })
      writeFileSync(join(folder, 'in/deep/file'), 'x'.repeat(200_000))
      symlinkSync('deep/file', join(folder, 'in/link'))
      expect(await engine('cp', join(folder, 'in'), 'files:/tmp')).toEqual({ code: 0, out: '', err: '' })
      expect(await engine('cp', join(folder, 'in/link'), 'files:/tmp/other')).toMatchObject({ code: 0 })
      const look = 'cd /tmp; wc -c < in/link; busybox readlink other; stat -c %u in'
      expect((await engine('exec', 'files', 'sh', '-c', look.replace('wc', 'busybox wc'))).out).toBe(
        '200000\ndeep/file\n0\n',
      )
      expect(await engine('cp', 'files:/tmp/in', join(folder, 'out'))).toEqual({ code: 0, out: '', err: '' })
      expect(readFileSync(join(folder, 'out/link'), 'utf8')).toHaveLength(200_000)
      mkdirSync(join(folder, 'there'))
      expect(await engine('cp', 'files:/etc/hostname', join(folder, 'there'))).toMatchObject({ code: 0 })
      expect(readFileSync(join(folder, 'there/hostname'), 'utf8')).toBe('files\n')
      const tarred = await engine('cp', 'files:/etc/hostname', '-')
      expect(tarred).toMatchObject({ code: 0, out: expect.stringContaining('files\n') })
      const archive = await makeTar([{ name: 'piped', content: 'by a pipe' }])
      const piped = start('cp', '-', 'files:/tmp')
      piped.child.stdin?.end(archive)
      expect(await piped.ended).toMatchObject({ code: 0 })
      expect((await engine('exec', 'files', 'cat', '/tmp/piped')).out).toBe('by a pipe')
      expect((await engine('diff', 'files')).out).toMatch(/^C \/tmp\n[\s\S]*^A \/tmp\/in\/deep\/file$/m)
      for (const [from, to, said] of [
        ['files:/none', folder, /no \/none/],
        [join(folder, 'none'), 'files:/tmp', /no .*none/],
        [folder, folder, /CONTAINER:PATH/],
        ['nobody:/etc', folder, /no container nobody/],
        [join(folder, 'in'), 'nobody:/tmp', /no container nobody/],
        ['files:/proc/1/environ', folder, /kernel/],
      ] as const)
        expect(await engine('cp', from, to)).toMatchObject({ code: 1, err: expect.stringMatching(said) })
    } finally {
      rmSync(folder, { recursive: true })
      await engine('rm', '-f', 'files')
    }
  })
}
