import { writeConfigurationPage } from './configuration-page.ts';

await writeConfigurationPage();
