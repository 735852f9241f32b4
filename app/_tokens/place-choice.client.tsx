'use client'

import { useTranslations } from 'next-intl'
import { TextField } from '../_ui/field.client.tsx'
import { SelectField } from '../_ui/select.client.tsx'
import { Checkbox, toggled } from './checkbox.client.tsx'
import type { TeamPlaces } from './places.ts'

interface PlaceChoiceProps {
  team: TeamPlaces
  /** Ids of projects and apps; null: everything. */
  chosen: string[] | null
  onChange(chosen: string[] | null): void
  repositoryError: string | undefined
}

/** What of a team the token reaches. */
export function PlaceChoice({ team, chosen, onChange, repositoryError }: PlaceChoiceProps) {
  const t = useTranslations('tokens')
  return (
    <div className="space-y-3">
      <SelectField
        label={t('reach')}
        value={chosen === null ? 'all' : 'some'}
        onValueChange={(value) => onChange(value === 'all' ? null : [])}
        items={[
          { value: 'all', label: t('reachAll') },
          { value: 'some', label: t('reachSome') },
        ]}
      />
      {chosen !== null && (
        <>
          <fieldset className="max-h-52 overflow-y-auto rounded-lg border p-3">
            <legend className="sr-only">{t('reachSome')}</legend>
            {team.projects.map((project) => (
              <div key={project.id}>
                <Checkbox
                  label={<span className="font-medium">{project.name}</span>}
                  checked={chosen.includes(project.id)}
                  onCheckedChange={(checked) => onChange(toggled(chosen, project.id, checked))}
                />
                <div className="pl-6.5">
                  {!chosen.includes(project.id) &&
                    project.apps.map((app) => (
                      <Checkbox
                        key={app.id}
                        label={app.name}
                        checked={chosen.includes(app.id)}
                        onCheckedChange={(checked) => onChange(toggled(chosen, app.id, checked))}
                      />
                    ))}
                </div>
              </div>
            ))}
            {team.projects.length === 0 && <p className="text-muted">{t('noProjects')}</p>}
          </fieldset>
          <TextField
            label={t('repositories')}
            hint={t('optional')}
            name="repositories"
            mono
            placeholder="shop, shop/worker"
            description={t('repositoriesDescription')}
            error={repositoryError}
          />
        </>
      )}
    </div>
  )
}
