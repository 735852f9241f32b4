/** Networks by name. */
import { expect, test } from 'vitest'
import type { Stand } from './stand.ts'

export function describeNetworks(stand: Stand): void {
  const { engine } = stand

  test('networks are made, listed and removed; one in use is not', async () => {
    expect(await engine('network', 'create', 'quay')).toMatchObject({ code: 0, out: 'quay\n' })
    await engine('run', '-d', '--name', 'moored', '--network', 'quay', stand.image, 'sleep', '1000')
    expect((await engine('network', 'ls')).out).toMatch(/^quay +bth\S+ +10\.\S+\/24 .* all$/m)
    expect(await engine('network', 'create', '--internal', 'basin')).toMatchObject({ code: 0 })
    expect(await engine('network', 'connect', '--alias', 'ship', 'basin', 'moored')).toMatchObject({
      code: 0,
    })
    const [basin] = JSON.parse((await engine('network', 'inspect', 'basin')).out)
    expect(basin).toMatchObject({
      egress: 'none',
      attachments: [{ container: 'moored', connected: true, names: ['moored', 'ship'] }],
    })
    const asked = ['network', 'inspect', '-f', '{{.egress}} {{len .attachments}}', 'basin']
    expect((await engine(...asked)).out).toBe('none 1\n')
    expect((await engine('inspect', '-f', '{{.name}}', 'basin')).out).toBe('basin\n')
    const internal = ['network', 'ls', '-f', 'name=bas', '--format', '{{.Name}} {{.Driver}} {{.Internal}}']
    expect((await engine(...internal)).out).toBe('basin bridge true\n')
    expect((await engine('network', 'ls', '-q', '-f', 'egress=none')).out).toBe('basin\n')
    expect(await engine('network', 'disconnect', '-f', 'basin', 'moored')).toMatchObject({ code: 0 })
    expect(await engine('network', 'rm', 'basin')).toMatchObject({ code: 0 })
    expect(await engine('network', 'rm', 'quay')).toMatchObject({
      code: 1,
      err: expect.stringMatching(/attached|use/),
    })
    await engine('rm', '-f', 'moored')
    expect(await engine('network', 'rm', 'quay')).toMatchObject({ code: 0, out: 'quay\n' })
    expect(await engine('network', 'rm', 'quay')).toMatchObject({ code: 1 })
    expect(await engine('network', 'rm', '-f', 'quay')).toMatchObject({ code: 0 })
    expect(await engine('network', 'create', '--subnet', '10.9.0.0/24', 'own')).toMatchObject({
      code: 125,
      err: expect.stringMatching(/own range/),
    })
    await engine('network', 'create', '-d', 'bridge', '--egress', '203.0.113.0/24', 'idle')
    expect((await engine('network', 'ls')).out).toMatch(/^idle .* 203\.0\.113\.0\/24$/m)
    expect((await engine('network', 'prune', '--dry-run')).out).toMatch(/^Would delete: idle$/m)
    expect((await engine('network', 'prune')).out).toMatch(/^Deleted: idle$/m)
    expect((await engine('network', 'ls')).out).not.toMatch(/^idle /m)
  })
}
