'use client'

import { ClipboardPaste, FileText, Plus, Trash2 } from 'lucide-react'
import { useTranslations } from 'next-intl'
import { useState } from 'react'
import { parseEnvFile } from '@/platform/model/env-file.ts'
import { Button } from '../_ui/button.tsx'
import { cn } from '../_ui/cn.ts'
import { controlStyle } from '../_ui/field.client.tsx'
import { PasteDialog } from './paste-dialog.client.tsx'
import { mergePasted, newRow, type RowErrors, type VariableRow } from './rows.ts'

interface VariableEditorProps {
  rows: VariableRow[]
  onChange(rows: VariableRow[]): void
  /** What is wrong with a row, in words. */
  errorOf(row: VariableRow): RowErrors
}

/** Names and values, one a row. A whole .env file can be pasted into any name, or through its dialog. */
export function VariableEditor({ rows, onChange, errorOf }: VariableEditorProps) {
  const t = useTranslations('variables')
  const [pasting, setPasting] = useState(false)
  const change = (key: number, part: Partial<VariableRow>) =>
    onChange(rows.map((row) => (row.key === key ? { ...row, ...part } : row)))

  return (
    <div className="space-y-3">
      {rows.length > 0 && (
        <ul className="space-y-3 sm:space-y-2">
          {rows.map((row, index) => (
            <Row
              key={row.key}
              row={row}
              number={index + 1}
              error={errorOf(row)}
              onChange={(part) => change(row.key, part)}
              onRemove={() => onChange(rows.filter(({ key }) => key !== row.key))}
              onPaste={(text) => {
                const { variables } = parseEnvFile(text)
                if (variables.length === 0) return false
                onChange(mergePasted(rows, variables))
                return true
              }}
            />
          ))}
        </ul>
      )}
      <div className="flex flex-wrap gap-2">
        <Button size="small" onClick={() => onChange([...rows, newRow()])}>
          <Plus aria-hidden />
          {t('add')}
        </Button>
        <Button size="small" tone="ghost" onClick={() => setPasting(true)}>
          <ClipboardPaste aria-hidden />
          {t('paste')}
        </Button>
      </div>
      <PasteDialog
        open={pasting}
        onOpenChange={setPasting}
        onPaste={(variables) => onChange(mergePasted(rows, variables))}
      />
    </div>
  )
}

interface RowProps {
  row: VariableRow
  number: number
  error: RowErrors
  onChange(part: Partial<VariableRow>): void
  onRemove(): void
  /** Whether it took the text for a .env file. */
  onPaste(text: string): boolean
}

function Row({ row, number, error, onChange, onRemove, onPaste }: RowProps) {
  const t = useTranslations('variables')
  const kept = row.stored?.isSecret === true
  const errorId = `variable-${row.key}-error`
  const words = [error.name, error.value, error.filePath].filter((text) => text !== undefined).join(' ')
  const control = cn(controlStyle, 'min-h-9 font-mono text-[13px] aria-invalid:border-danger')
  const named = row.name === '' ? String(number) : row.name
  return (
    <li>
      <div className="flex flex-wrap items-center gap-2 sm:flex-nowrap">
        <input
          aria-label={t('nameOf', { number })}
          aria-invalid={error.name !== undefined}
          aria-describedby={words === '' ? undefined : errorId}
          placeholder="NAME"
          value={row.name}
          readOnly={row.stored !== null}
          spellCheck={false}
          autoComplete="off"
          autoCapitalize="off"
          onChange={(event) => onChange({ name: event.target.value })}
          onPaste={(event) => {
            const text = event.clipboardData.getData('text')
            if (text.includes('=') && onPaste(text)) event.preventDefault()
          }}
          className={cn(control, 'flex-[1_1_100%] read-only:bg-sunken sm:flex-[2_1_0]')}
        />
        {/* Keys and certificates have many lines, which an input would lose. */}
        <textarea
          aria-label={t('valueOf', { name: named })}
          aria-invalid={error.value !== undefined}
          aria-describedby={words === '' ? undefined : errorId}
          placeholder={kept ? t('unchanged') : t('valuePlaceholder')}
          rows={1}
          value={row.value}
          spellCheck={false}
          autoComplete="off"
          onChange={(event) => onChange({ value: event.target.value })}
          className={cn(
            control,
            'field-sizing-content max-h-40 flex-[1_1_100%] resize-none overflow-y-auto py-[7px] leading-5 sm:flex-[3_1_0]',
            row.isSecret && '[-webkit-text-security:disc]',
          )}
        />
        <label className="flex h-9 shrink-0 items-center gap-2 px-1 max-sm:mr-auto">
          <input
            type="checkbox"
            aria-label={t('secretOf', { name: named })}
            checked={row.isSecret}
            disabled={kept}
            onChange={(event) => onChange({ isSecret: event.target.checked })}
            className="size-4 accent-accent"
          />
          <span aria-hidden>{t('secret')}</span>
        </label>
        <Button
          tone="ghost"
          size="icon"
          aria-label={t('asFile', { name: named })}
          title={t('asFile', { name: named })}
          aria-pressed={row.filePath !== null}
          onClick={() => onChange({ filePath: row.filePath === null ? suggestedPath(row.name) : null })}
        >
          <FileText aria-hidden className={cn(row.filePath !== null && 'text-accent')} />
        </Button>
        <Button tone="ghost" size="icon" aria-label={t('remove', { name: named })} onClick={onRemove}>
          <Trash2 aria-hidden />
        </Button>
      </div>
      {row.filePath !== null && (
        <label className="mt-2 flex flex-wrap items-center gap-x-2 gap-y-1 pl-1">
          <span className="text-muted">{t('filePath')}</span>
          <input
            aria-invalid={error.filePath !== undefined}
            aria-describedby={words === '' ? undefined : errorId}
            placeholder="/run/secrets/key"
            value={row.filePath}
            spellCheck={false}
            autoComplete="off"
            onChange={(event) => onChange({ filePath: event.target.value })}
            className={cn(control, 'max-w-md flex-[1_1_12rem]')}
          />
        </label>
      )}
      {words !== '' && (
        <p id={errorId} className="mt-1 text-danger text-[13px]">
          {words}
        </p>
      )}
    </li>
  )
}

function suggestedPath(name: string): string {
  return `/run/secrets/${name.trim().toLowerCase() || 'key'}`
}
