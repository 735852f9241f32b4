-- AlterTable
ALTER TABLE "environments" ADD COLUMN     "variablesVersion" INTEGER NOT NULL DEFAULT 0;

-- AlterTable
ALTER TABLE "variables" ADD COLUMN     "filePath" TEXT;

-- CreateTable
CREATE TABLE "variable_versions" (
    "id" TEXT NOT NULL,
    "environmentId" TEXT,
    "appId" TEXT,
    "number" INTEGER NOT NULL,
    "actor" TEXT NOT NULL,
    "actorName" TEXT NOT NULL,
    "variables" JSONB NOT NULL,
    "createdAt" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "variable_versions_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE UNIQUE INDEX "variable_versions_appId_number_key" ON "variable_versions"("appId", "number");

-- CreateIndex
CREATE UNIQUE INDEX "variable_versions_environmentId_number_key" ON "variable_versions"("environmentId", "number");

-- AddForeignKey
ALTER TABLE "variable_versions" ADD CONSTRAINT "variable_versions_environmentId_fkey" FOREIGN KEY ("environmentId") REFERENCES "environments"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "variable_versions" ADD CONSTRAINT "variable_versions_appId_fkey" FOREIGN KEY ("appId") REFERENCES "apps"("id") ON DELETE CASCADE ON UPDATE CASCADE;
