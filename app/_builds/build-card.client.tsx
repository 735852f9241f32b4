'use client'

import { Download } from 'lucide-react'
import { useTranslations } from 'next-intl'
import { useMemo, useState } from 'react'
import type { Build, BuildLine } from '@/platform/model/builds.ts'
import { withoutAnsi } from '../_ui/ansi.ts'
import { Button } from '../_ui/button.tsx'
import { Card, CardHeader } from '../_ui/card.tsx'
import { ConnectionNote } from '../_ui/connection-note.tsx'
import { CopyButton } from '../_ui/copy-button.client.tsx'
import { Notice } from '../_ui/notice.tsx'
import { BuildLogLines } from './build-log-lines.client.tsx'
import { BuildSearch } from './build-search.client.tsx'
import { BuildSteps } from './build-steps.client.tsx'
import { useBuildLog } from './use-build-log.ts'

interface BuildCardProps {
  deploymentId: string
  /** Names the file that is downloaded. */
  name: string
  build: Build
  isRunning: boolean
}

/** How an image is made of source: the steps with their times, and every line. */
export function BuildCard({ deploymentId, name, build, isRunning }: BuildCardProps) {
  const t = useTranslations('build')
  const { lines, steps, connection, hasFailed, isLoading } = useBuildLog(deploymentId, isRunning)
  const [query, setQuery] = useState('')
  const [current, setCurrent] = useState<number | null>(null)
  const found = useMemo(() => matchesIn(lines, query), [lines, query])
  const [target, setTarget] = useState<{ line: number } | null>(null)

  function go(index: number): void {
    const line = found[index]
    if (line === undefined) return
    setCurrent(index)
    setTarget({ line })
  }

  return (
    <Card aria-labelledby="build" className="overflow-hidden">
      <CardHeader
        titleId="build"
        title={t('title')}
        description={lines.length === 0 ? undefined : t('lines', { count: lines.length })}
        actions={
          <>
            <ConnectionNote connection={isRunning ? connection : 'open'} />
            <Button size="small" disabled={lines.length === 0} onClick={() => download(`${name}.log`, lines)}>
              <Download aria-hidden />
              {t('download')}
            </Button>
          </>
        }
      />
      {build.generated !== null && <Generated generated={build.generated} />}
      <BuildSteps steps={steps} isRunning={isRunning} onChoose={(line) => setTarget({ line })} />
      {hasFailed ? (
        <Notice tone="danger" className="m-5">
          {t('noSuchLog')}
        </Notice>
      ) : (
        <>
          <BuildSearch
            query={query}
            onQuery={(text) => {
              setQuery(text)
              setCurrent(null)
            }}
            current={current}
            count={found.length}
            onGo={go}
          />
          <BuildLogLines
            lines={lines}
            steps={steps}
            found={found}
            current={current === null ? null : (found[current] ?? null)}
            target={target}
            isRunning={isRunning}
            isLoading={isLoading}
          />
        </>
      )}
    </Card>
  )
}

function Generated({ generated }: { generated: NonNullable<Build['generated']> }) {
  const t = useTranslations('build')
  return (
    <details className="mx-5 mt-3 rounded-lg border">
      <summary className="cursor-pointer rounded-lg px-3.5 py-2.5">
        {t('generated', { what: generated.what })}
      </summary>
      <div className="border-t">
        <div className="flex items-center justify-between gap-3 px-3.5 pt-2.5">
          <p className="text-muted text-[13px]">{t('generatedHint')}</p>
          <CopyButton text={generated.dockerfile} label={t('copyDockerfile')} withWords />
        </div>
        <pre
          // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so those with a keyboard must reach it
          tabIndex={0}
          className="overflow-x-auto px-3.5 py-2.5 font-mono text-[12.5px] leading-5"
        >
          {generated.dockerfile}
        </pre>
      </div>
    </details>
  )
}

/** Numbers of the lines that have it, whatever their case and colours. */
function matchesIn(lines: readonly BuildLine[], query: string): number[] {
  const wanted = query.trim().toLowerCase()
  if (wanted === '') return []
  return lines.flatMap(({ text }, index) => (withoutAnsi(text).toLowerCase().includes(wanted) ? [index] : []))
}

function download(file: string, lines: readonly BuildLine[]): void {
  const text = lines.map((line) => `${line.at} ${withoutAnsi(line.text)}\n`).join('')
  const url = URL.createObjectURL(new Blob([text], { type: 'text/plain;charset=utf-8' }))
  const link = document.createElement('a')
  link.href = url
  link.download = file
  link.click()
  URL.revokeObjectURL(url)
}
