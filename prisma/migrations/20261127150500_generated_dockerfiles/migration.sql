-- AlterTable
ALTER TABLE "builds" ADD COLUMN     "generatedDockerfile" TEXT,
ADD COLUMN     "generatedFor" TEXT;
