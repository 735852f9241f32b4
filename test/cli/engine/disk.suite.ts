/** Images under other names elsewhere, what takes how much, and what goes when nothing needs it. */
import { expect, test } from 'vitest'
import type { Stand } from './stand.ts'

export function describeDisk(stand: Stand): void {
  const { engine, typed } = stand

  test('an image is pushed under another name, and under all that its repository has here; all of those are pulled', async () => {
    const digest = (await engine('pull', '-q', stand.image)).out.trim()
    const copy = stand.image.replace('/tool:', '/copy:')
    const pushed = await engine('push', stand.image, copy)
    expect(pushed).toMatchObject({ code: 0, out: `${copy}: ${digest}\n` })
    expect(pushed.err).toMatch(/^[0-9a-f]{12}: (Done|Already here|Mounted)$/m)
    expect((await engine('push', 'nothing')).code).toBe(1)
    const other = stand.image.replace(':latest', ':2')
    await engine('tag', stand.image, other)
    const both = await engine('push', '-q', '--all-tags', stand.image.replace(':latest', ''))
    expect(both.out).toBe([other, stand.image].map((each) => `${each}: ${digest}\n`).join(''))
    expect(await engine('push', '-a', stand.image)).toMatchObject({
      code: 1,
      err: expect.stringMatching(/repository alone/),
    })
    await engine('rmi', '--no-prune', other, stand.image)
    const all = await engine('pull', '--all-tags', '-q', stand.image.replace(':latest', ''))
    expect(all).toEqual({ code: 0, out: both.out, err: '' })
    const rows: { digest: string; references: string[] }[] = JSON.parse(
      (await engine('images', '--json')).out,
    )
    expect(rows.find((row) => row.digest === digest)?.references).toEqual([other, stand.image])
    for (const [name, why] of [
      [stand.image, /names one image: give the repository alone/],
      [stand.image.replace('/tool:latest', '/nothing'), /has no repository/],
    ] as const)
      expect(await engine('pull', '-a', name)).toMatchObject({ code: 1, err: expect.stringMatching(why) })
    await engine('rmi', '--no-prune', other)
  })

  test('what takes how much is shown, and what nothing needs is pruned when somebody says so', async () => {
    const digest = (await engine('pull', '-q', stand.image)).out.trim()
    await engine('run', '-d', '--name', 'user', stand.image, 'sleep', '1000')
    expect((await engine('df', '-v')).out).toMatch(
      /^Images +\d+ +1 [\s\S]*^localhost:\d+\/acme\/tool:latest [\s\S]*^LAYER [\s\S]*^[0-9a-f]{12} +[\d.]+ [kM]B +1$[\s\S]*^user [\s\S]*^VOLUME /m,
    )
    expect((await engine('df', '--format', '{{.Type}} {{.TotalCount}} {{.Active}}')).out).toMatch(
      /^Images \d+ 1\nContainers 1 \nVolumes \d+ \n$/,
    )
    expect((await engine('prune', '-a', '--dry-run')).out).not.toContain(digest)
    await engine('rm', '-f', 'user')
    const dry = await engine('prune', '-a', '--dry-run')
    expect(dry.out).toContain(`Would delete: ${digest} (${stand.image})`)
    for (const narrower of [[], ['-a', '--filter', 'until=1h'], ['-a', '--filter', 'label=no']])
      expect((await engine('prune', '-f', ...narrower)).out).not.toContain(digest)
    for (const args of [
      ['prune', '-a'],
      ['prune', '-a', '--json'],
    ])
      expect(await engine(...args)).toMatchObject({ code: 1, out: '', err: expect.stringMatching(/Give -f/) })
    for (const answer of ['n\r', '\r', '\x04']) {
      const refused = await typed('prune -a', async (type, see) => {
        await see(`Would delete: ${digest}`)
        await see('Are you sure? [y/N]')
        type(answer)
      })
      expect(refused).toMatchObject({ code: 0, shown: expect.stringContaining('Nothing was removed.') })
      expect(refused.shown).not.toContain('Deleted')
    }
    const agreed = await typed('prune -a', async (type, see) => {
      await see('Are you sure? [y/N]')
      type('y\r')
    })
    expect(agreed.code).toBe(0)
    expect(agreed.shown).toMatch(new RegExp(`^Deleted: ${digest} [\\s\\S]*^Freed [1-9]`, 'm'))
    expect((await engine('images', '-q')).out).toBe('')
    const nothing = await typed('prune -a', async () => {})
    expect(nothing).toMatchObject({ code: 0, shown: expect.stringContaining('Would free 0 B') })
  })
}
