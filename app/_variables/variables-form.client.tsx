'use client'

import { useRouter } from 'next/navigation'
import { useTranslations } from 'next-intl'
import { useEffect, useState } from 'react'
import type { Variable } from '@/platform/model/resources.ts'
import type { VariableOwner } from '@/platform/variable-owner.ts'
import { deployAction } from '../_actions/deployments.ts'
import { setVariablesAction } from '../_actions/variables.ts'
import { Button } from '../_ui/button.tsx'
import { Notice } from '../_ui/notice.tsx'
import { useAction } from '../_ui/use-action.ts'
import { changesOf, errorsOf, fieldsOf, newRow, storedRows, type VariableRow } from './rows.ts'
import { VariableEditor } from './variable-editor.client.tsx'

interface VariablesFormProps {
  owner: VariableOwner
  /** Of the app, which can be deployed with what was saved. What is shared is deployed with each app. */
  path: string | null
  variables: Variable[]
}

export function VariablesForm({ owner, path, variables }: VariablesFormProps) {
  const t = useTranslations('variables')
  const tCommon = useTranslations('common')
  const router = useRouter()
  const save = useAction()
  const deploy = useAction()
  const [stored, setStored] = useState(variables)
  const [rows, setRows] = useState<VariableRow[]>(() => rowsOf(variables))
  const [saved, setSaved] = useState(false)

  const { input, rowOf } = changesOf(rows, stored)
  const isChanged = input.set.length > 0 || input.remove.length > 0
  // A version that was put back, or what somebody else saved, shows unless it would take away what is being typed.
  useEffect(() => {
    if (isChanged || isDeepEqual(variables, stored)) return
    setStored(variables)
    setRows(rowsOf(variables))
  }, [variables, stored, isChanged])
  const problem = save.summary(fieldsOf('set', input.set.length))
  const errorOf = (row: VariableRow) => errorsOf(save.errorOf, 'set', rowOf.indexOf(row.key))

  return (
    <form
      ref={save.form}
      noValidate
      className="space-y-5"
      onSubmit={(event) => {
        event.preventDefault()
        save.run(() => setVariablesAction(owner, input), {
          onDone: (now) => {
            setStored(now)
            setRows(rowsOf(now))
            setSaved(true)
          },
        })
      }}
    >
      <VariableEditor
        rows={rows}
        errorOf={errorOf}
        onChange={(next) => {
          setRows(next)
          setSaved(false)
          save.clear()
        }}
      />
      {problem !== null && <Notice tone="danger">{problem}</Notice>}
      {saved && (
        <Notice
          tone="success"
          actions={
            'appId' in owner &&
            path !== null && (
              <Button
                size="small"
                pending={deploy.pending}
                onClick={() =>
                  deploy.run(() => deployAction(owner.appId), { onDone: () => router.push(path) })
                }
              >
                {t('deployNow')}
              </Button>
            )
          }
        >
          {'appId' in owner ? t('saved') : t('savedShared')}
        </Notice>
      )}
      <div className="flex justify-end gap-2 border-t pt-4">
        {isChanged && (
          <Button tone="ghost" onClick={() => setRows(rowsOf(stored))}>
            {tCommon('discard')}
          </Button>
        )}
        <Button tone="primary" type="submit" pending={save.pending} disabled={!isChanged}>
          {tCommon('save')}
        </Button>
      </div>
    </form>
  )
}

function rowsOf(variables: Variable[]): VariableRow[] {
  return variables.length === 0 ? [newRow()] : storedRows(variables)
}

function isDeepEqual(some: Variable[], others: Variable[]): boolean {
  return JSON.stringify(some) === JSON.stringify(others)
}
