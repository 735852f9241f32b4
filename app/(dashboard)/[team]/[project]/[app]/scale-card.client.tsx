'use client'

import { LoaderCircle, Minus, Plus } from 'lucide-react'
import { useLocale, useTranslations } from 'next-intl'
import { useState } from 'react'
import type { ScaleProblem, Size } from '@/platform/model/scale.ts'
import { scaleAppAction } from '../../../../_actions/apps.ts'
import { Button } from '../../../../_ui/button.tsx'
import { Card, CardHeader } from '../../../../_ui/card.tsx'
import { TextField } from '../../../../_ui/field.client.tsx'
import { Form } from '../../../../_ui/form.client.tsx'
import { formatBytes } from '../../../../_ui/format.ts'
import { Notice } from '../../../../_ui/notice.tsx'
import { useAction } from '../../../../_ui/use-action.ts'

const mebibyte = 2 ** 20
const mostReplicas = 20

interface ScaleCardProps {
  appId: string
  size: Size
  isPending: boolean
  problem: ScaleProblem | null
  /** Of the fullest and the busiest replica. */
  use: { memoryBytes: number; cpuMillis: number } | null
  canScale: boolean
}

/** How large the app runs, what it uses of it, and the controls that change it. */
export function ScaleCard({ appId, size, isPending, problem, use, canScale }: ScaleCardProps) {
  const t = useTranslations('scale')
  const locale = useLocale()
  const { run, pending, form, errorOf, summary } = useAction()
  const [replicas, setReplicas] = useState(String(size.replicas))
  const [memory, setMemory] = useState(String(size.memoryBytes / mebibyte))
  const [cpu, setCpu] = useState(String(size.cpuMillis / 1_000))
  const wanted = {
    replicas: numberOf(replicas),
    memoryBytes: Math.round(numberOf(memory) * mebibyte),
    cpuMillis: Math.round(numberOf(cpu) * 1_000),
  }
  const changed = Object.fromEntries(
    Object.entries(wanted).filter(([name, value]) => value !== size[name as keyof Size]),
  )
  const isSame = Object.keys(changed).length === 0
  const processors = (millis: number) =>
    new Intl.NumberFormat(locale, { maximumFractionDigits: 2 }).format(millis / 1_000)
  const step = (by: number) =>
    setReplicas(String(Math.min(mostReplicas, Math.max(1, (numberOf(replicas) || size.replicas) + by))))
  const failure = summary(['replicas', 'memoryBytes', 'cpuMillis'])

  return (
    <Card aria-labelledby="size">
      <CardHeader titleId="size" title={t('title')} description={t('description')} />
      <Form
        form={form}
        className="px-5 pt-3 pb-4"
        onSubmit={() => run(() => scaleAppAction(appId, changed))}
        problem={failure}
        pending={pending}
        submit={t('apply')}
        disabled={isSame}
        readOnly={!canScale}
      >
        {isPending && (
          <p role="status" className="flex items-center gap-2 text-accent-text">
            <LoaderCircle aria-hidden className="size-4 animate-spin" />
            {t('pending', {
              size: t('size', {
                replicas: size.replicas,
                memory: formatBytes(size.memoryBytes, locale),
                cpu: processors(size.cpuMillis),
              }),
            })}
          </p>
        )}
        {problem !== null && (
          <Notice tone="danger">
            {t(`problem.${problem.code}`, {
              message: problem.message,
              memory: formatBytes(problem.usedBytes ?? 0, locale),
            })}
          </Notice>
        )}
        <div className="grid items-start gap-4 sm:grid-cols-3">
          <div className="flex items-end gap-1.5">
            <TextField
              className="min-w-0 flex-1"
              label={t('replicas')}
              name="replicas"
              inputMode="numeric"
              value={replicas}
              onValueChange={setReplicas}
              disabled={!canScale}
              error={errorOf('replicas')}
            />
            {canScale && (
              <>
                <Button aria-label={t('fewer')} className="w-9 px-0" onClick={() => step(-1)}>
                  <Minus aria-hidden />
                </Button>
                <Button aria-label={t('more')} className="w-9 px-0" onClick={() => step(1)}>
                  <Plus aria-hidden />
                </Button>
              </>
            )}
          </div>
          <TextField
            label={t('memory')}
            name="memory"
            inputMode="numeric"
            suffix="MiB"
            value={memory}
            onValueChange={setMemory}
            disabled={!canScale}
            description={
              use === null ? undefined : t('uses', { memory: formatBytes(use.memoryBytes, locale) })
            }
            error={errorOf('memoryBytes')}
          />
          <TextField
            label={t('cpu')}
            name="cpu"
            inputMode="decimal"
            suffix={t('cpuUnit')}
            value={cpu}
            onValueChange={setCpu}
            disabled={!canScale}
            description={use === null ? undefined : t('usesCpu', { cpu: processors(use.cpuMillis) })}
            error={errorOf('cpuMillis')}
          />
        </div>
      </Form>
    </Card>
  )
}

function numberOf(text: string): number {
  return text.trim() === '' ? Number.NaN : Number(text.trim().replace(',', '.'))
}
