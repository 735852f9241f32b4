import { expect, test } from 'vitest'
import { formatReport, makeRow } from '../../bench/report.ts'

const machine = { cpus: 2, cpu: 'a processor', kernel: '6.1', loadBefore: 0.5 }

test('a row has medians, ratios above 1 where Berth is better, and says whether the budget is met', () => {
  const row = makeRow({
    what: 'pull',
    unit: 's',
    berth: [3, 1, 2],
    peers: { docker: [5, 4.2, 3, 9], podman: [2.5, 2.5, 90] },
    budget: { atLeast: { docker: 2, podman: 1.5 } },
  })
  expect(row).toMatchObject({
    berth: 2,
    peers: { docker: 4.6, podman: 2.5 },
    ratio: { docker: 2.3, podman: 1.25 },
    met: false,
    samples: { berth: [3, 1, 2] },
  })
})

test('what could not be measured says why, and a budget about it is neither met nor missed', () => {
  const peers = { docker: 'it is not installed', podman: [4] }
  const budget = { atLeast: { docker: 2, podman: 1.5 } }
  const row = makeRow({ what: 'pull', unit: 's', berth: [1], peers, budget })
  expect(row).toMatchObject({ peers: { docker: 'it is not installed' }, ratio: { podman: 4 }, met: null })
  const text = formatReport({ name: 'pull', machine, runs: 1, rows: [row] })
  expect(text).toContain('not measured: it is not installed')
  expect(text).toContain('not known')
})

test('more is better where it is a rate, and a budget may be about Berth alone', () => {
  expect(
    makeRow({ what: 'x', unit: '1/s', berth: [10], peers: { docker: [5] }, better: 'more' }).ratio,
  ).toEqual({
    docker: 2,
  })
  const memory = (megabytes: number) =>
    makeRow({ what: 'x', unit: 'MB', berth: [megabytes], budget: { atMost: 150 } }).met
  expect([memory(150), memory(151)]).toEqual([true, false])
})
