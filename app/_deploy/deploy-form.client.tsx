'use client'

import { ChevronRight } from 'lucide-react'
import { useRouter } from 'next/navigation'
import { useTranslations } from 'next-intl'
import { useState } from 'react'
import { deployImageAction } from '../_actions/apps.ts'
import { ButtonLink } from '../_ui/button.tsx'
import { Card, CardHeader } from '../_ui/card.tsx'
import { TextField } from '../_ui/field.client.tsx'
import { Form } from '../_ui/form.client.tsx'
import { nameOfImage } from '../_ui/format.ts'
import { SelectField } from '../_ui/select.client.tsx'
import { SwitchField } from '../_ui/switch.client.tsx'
import { useAction } from '../_ui/use-action.ts'
import { asNew, errorsOf, fieldsOf, newRow, type VariableRow } from '../_variables/rows.ts'
import { VariableEditor } from '../_variables/variable-editor.client.tsx'
import { ResourceFields } from './resource-fields.client.tsx'
import { type SettingsForm, settingsFromForm, settingsPaths } from './settings-form.ts'
import { VolumeFields, volumeFromForm, volumePaths } from './volume-fields.client.tsx'

interface DeployFormProps {
  team: { id: string; slug: string }
  projects: { id: string; name: string }[]
  /** Chosen at first; null: a new project. */
  projectId: string | null
  back: string
  defaults: Omit<SettingsForm, 'image'>
}

const newProject = 'new'

export function DeployForm({ team, projects, projectId, back, defaults }: DeployFormProps) {
  const t = useTranslations('deploy')
  const tCommon = useTranslations('common')
  const router = useRouter()
  const { run, pending, problem, form, errorOf, summary } = useAction()
  const [image, setImage] = useState('')
  const [isSource, setIsSource] = useState(false)
  const [ownName, setOwnName] = useState<string | null>(null)
  const [project, setProject] = useState(projectId ?? newProject)
  const [advanced, setAdvanced] = useState(false)
  const [hasVolume, setHasVolume] = useState(false)
  const [rows, setRows] = useState<VariableRow[]>(() => [newRow()])

  const variables = rows.filter((row) => row.name !== '' || row.value !== '')
  const rowError = (row: VariableRow) => errorsOf(errorOf, 'variables', variables.indexOf(row))
  const shown = [
    'name',
    'projectName',
    ...Object.values(settingsPaths),
    ...fieldsOf('variables', variables.length),
    ...volumePaths,
  ]
  const words = summary(shown)
  const advancedWrong =
    problem?.fields.some(({ path }) =>
      /limits|replicas|healthCheck|release|command|stopGrace|keptDeployments/.test(path),
    ) ?? false

  function submit(data: FormData) {
    const { image: named, ...settings } = settingsFromForm(data)
    run(
      () =>
        deployImageAction({
          teamId: team.id,
          projectId: project === newProject ? null : project,
          projectName: String(data.get('projectName') ?? ''),
          app: {
            volumes: hasVolume ? [volumeFromForm(data)] : [],
            name: String(data.get('name') ?? ''),
            settings: isSource ? settings : { ...settings, image: named },
            variables: variables.map(asNew),
          },
        }),
      { onDone: ({ path }) => router.push(path) },
    )
  }

  return (
    <Form
      form={form}
      className="space-y-5"
      onSubmit={submit}
      problem={words}
      pending={pending}
      submit={isSource ? t('submitSource') : t('submit')}
      actions={
        <ButtonLink href={back} tone="ghost">
          {tCommon('cancel')}
        </ButtonLink>
      }
    >
      <Card>
        <div className="grid gap-5 p-5 sm:grid-cols-2">
          <TextField
            className="sm:col-span-2"
            label={t('image')}
            name="image"
            mono
            autoFocus
            placeholder="ghcr.io/org/app:1.0"
            description={t('imageDescription')}
            spellCheck={false}
            value={image}
            onValueChange={setImage}
            error={errorOf(settingsPaths.image)}
            disabled={isSource}
          />
          <SwitchField
            className="sm:col-span-2"
            label={t('isSource')}
            description={t('isSourceDescription')}
            checked={isSource}
            onCheckedChange={setIsSource}
          />
          <TextField
            label={t('name')}
            name="name"
            description={t('nameDescription')}
            value={ownName ?? nameOfImage(image)}
            onValueChange={setOwnName}
            error={errorOf('name')}
          />
          <TextField
            label={t('port')}
            name="port"
            inputMode="numeric"
            placeholder={t('portAuto')}
            hint={t('optional')}
            description={t('portDescription')}
            error={errorOf(settingsPaths.port)}
          />
          {projects.length > 0 && (
            <SelectField
              label={t('project')}
              items={[
                ...projects.map(({ id, name }) => ({ value: id, label: name })),
                { value: newProject, label: t('newProject') },
              ]}
              value={project}
              onValueChange={setProject}
            />
          )}
          {project === newProject && (
            <TextField
              label={t('projectName')}
              name="projectName"
              defaultValue={projects.length === 0 ? t('firstProject') : ''}
              description={projects.length === 0 ? t('projectDescription') : undefined}
              error={errorOf('projectName')}
            />
          )}
        </div>
      </Card>
      <Card>
        <CardHeader title={t('variables')} description={t('variablesDescription')} />
        <div className="p-5">
          <VariableEditor rows={rows} onChange={setRows} errorOf={rowError} />
        </div>
      </Card>
      <VolumeFields has={hasVolume} onChange={setHasVolume} errorOf={errorOf} />
      <Card>
        <details
          className="group"
          open={advanced || advancedWrong}
          onToggle={(event) => setAdvanced(event.currentTarget.open)}
        >
          <summary className="flex list-none items-center gap-2 rounded-xl px-5 py-4 font-semibold text-[15px] [&::-webkit-details-marker]:hidden">
            <ChevronRight
              aria-hidden
              className="size-4 text-muted transition-transform group-open:rotate-90"
            />
            <span className="whitespace-nowrap">{t('advanced')}</span>
            <span className="truncate font-normal text-muted text-sm">{t('advancedSummary')}</span>
          </summary>
          <div className="border-t p-5">
            <ResourceFields defaults={defaults} errorOf={errorOf} />
          </div>
        </details>
      </Card>
    </Form>
  )
}
