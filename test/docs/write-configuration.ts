import { writeConfigurationPage } from './configuration-page.ts';
import { writeFailuresPage } from './failures-page.ts';

await writeConfigurationPage();
await writeFailuresPage();
