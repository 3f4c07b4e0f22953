/**
 * Abbreviations of time zones by the tz database (2025), which the runtime does not have: one line per set of them, each
 * with its hours east of UTC, then the zones that use the set (`-`: none). A zone that took another abbreviation for the same offset
 * shows the newest; an offset that is not here has none, and shows as a number. Made from Go's `time.Time.Zone`, for all moments
 * from 1970 to 2037.
 *
 * @module
 */

const table = `
-: Africa/Casablanca Africa/El_Aaiun America/Araguaina America/Argentina/Buenos_Aires America/Argentina/Catamarca America/Argentina/ComodRivadavia America/Argentina/Cordoba America/Argentina/Jujuy America/Argentina/La_Rioja America/Argentina/Mendoza America/Argentina/Rio_Gallegos America/Argentina/Salta America/Argentina/San_Juan America/Argentina/San_Luis America/Argentina/Tucuman America/Argentina/Ushuaia America/Asuncion America/Bahia America/Belem America/Boa_Vista America/Bogota America/Buenos_Aires America/Campo_Grande America/Caracas America/Catamarca America/Cayenne America/Cordoba America/Coyhaique America/Cuiaba America/Eirunepe America/Fortaleza America/Godthab America/Guayaquil America/Guyana America/Jujuy America/La_Paz America/Lima America/Maceio America/Manaus America/Mendoza America/Montevideo America/Noronha America/Nuuk America/Paramaribo America/Porto_Acre America/Porto_Velho America/Punta_Arenas America/Recife America/Rio_Branco America/Rosario America/Santarem America/Santiago America/Sao_Paulo America/Scoresbysund Antarctica/Casey Antarctica/Davis Antarctica/DumontDUrville Antarctica/Mawson Antarctica/Palmer Antarctica/Rothera Antarctica/Syowa Antarctica/Troll Antarctica/Vostok Asia/Aden Asia/Almaty Asia/Anadyr Asia/Aqtau Asia/Aqtobe Asia/Ashgabat Asia/Ashkhabad Asia/Atyrau Asia/Baghdad Asia/Bahrain Asia/Baku Asia/Bangkok Asia/Barnaul Asia/Bishkek Asia/Brunei Asia/Chita Asia/Choibalsan Asia/Colombo Asia/Dacca Asia/Dhaka Asia/Dili Asia/Dubai Asia/Dushanbe Asia/Ho_Chi_Minh Asia/Hovd Asia/Irkutsk Asia/Kabul Asia/Kamchatka Asia/Kashgar Asia/Kathmandu Asia/Katmandu Asia/Khandyga Asia/Krasnoyarsk Asia/Kuala_Lumpur Asia/Kuching Asia/Kuwait Asia/Magadan Asia/Muscat Asia/Novokuznetsk Asia/Novosibirsk Asia/Omsk Asia/Oral Asia/Phnom_Penh Asia/Qatar Asia/Qostanay Asia/Qyzylorda Asia/Rangoon Asia/Riyadh Asia/Saigon Asia/Sakhalin Asia/Samarkand Asia/Singapore Asia/Srednekolymsk Asia/Tashkent Asia/Tbilisi Asia/Tehran Asia/Thimbu Asia/Thimphu Asia/Tomsk Asia/Ulaanbaatar Asia/Ulan_Bator Asia/Urumqi Asia/Ust-Nera Asia/Vientiane Asia/Vladivostok Asia/Yakutsk Asia/Yangon Asia/Yekaterinburg Asia/Yerevan Atlantic/Cape_Verde Atlantic/South_Georgia Atlantic/Stanley Australia/Eucla Brazil/Acre Brazil/DeNoronha Brazil/East Brazil/West Chile/Continental Chile/EasterIsland Etc/GMT+1 Etc/GMT+10 Etc/GMT+11 Etc/GMT+12 Etc/GMT+2 Etc/GMT+3 Etc/GMT+4 Etc/GMT+5 Etc/GMT+6 Etc/GMT+7 Etc/GMT+8 Etc/GMT+9 Etc/GMT-1 Etc/GMT-10 Etc/GMT-11 Etc/GMT-12 Etc/GMT-13 Etc/GMT-14 Etc/GMT-2 Etc/GMT-3 Etc/GMT-4 Etc/GMT-5 Etc/GMT-6 Etc/GMT-7 Etc/GMT-8 Etc/GMT-9 Europe/Astrakhan Europe/Samara Europe/Saratov Europe/Ulyanovsk Indian/Chagos Indian/Christmas Indian/Cocos Indian/Kerguelen Indian/Mahe Indian/Maldives Indian/Mauritius Indian/Reunion Iran Kwajalein NZ-CHAT Pacific/Apia Pacific/Bougainville Pacific/Chatham Pacific/Chuuk Pacific/Easter Pacific/Efate Pacific/Enderbury Pacific/Fakaofo Pacific/Fiji Pacific/Funafuti Pacific/Galapagos Pacific/Gambier Pacific/Guadalcanal Pacific/Kanton Pacific/Kiritimati Pacific/Kosrae Pacific/Kwajalein Pacific/Majuro Pacific/Marquesas Pacific/Nauru Pacific/Niue Pacific/Norfolk Pacific/Noumea Pacific/Palau Pacific/Pitcairn Pacific/Pohnpei Pacific/Ponape Pacific/Port_Moresby Pacific/Rarotonga Pacific/Tahiti Pacific/Tarawa Pacific/Tongatapu Pacific/Truk Pacific/Wake Pacific/Wallis Pacific/Yap Singapore
ACST+9.5 ACDT+10.5: Australia/Adelaide Australia/Broken_Hill Australia/South Australia/Yancowinna
ACST+9.5: Australia/Darwin Australia/North
AEST+10 AEDT+11: Antarctica/Macquarie Australia/ACT Australia/Brisbane Australia/Canberra Australia/Currie Australia/Hobart Australia/Lindeman Australia/Melbourne Australia/NSW Australia/Queensland Australia/Sydney Australia/Tasmania Australia/Victoria
AEST+10: Australia/LHI Australia/Lord_Howe
AHST-10 AKST-9 AKDT-8: America/Anchorage US/Alaska
AKST-9 AKDT-8 PDT-7: America/Juneau America/Metlakatla America/Sitka
AKST-9 AKDT-8: America/Yakutat
AST-4 ADT-3 ADDT-2: America/Goose_Bay
AST-4 ADT-3: America/Barbados America/Glace_Bay America/Halifax America/Martinique America/Moncton America/Thule Atlantic/Bermuda Canada/Atlantic
AST-4: America/Anguilla America/Antigua America/Aruba America/Blanc-Sablon America/Curacao America/Dominica America/Grenada America/Guadeloupe America/Kralendijk America/Lower_Princes America/Marigot America/Miquelon America/Montserrat America/Port_of_Spain America/Puerto_Rico America/St_Barthelemy America/St_Kitts America/St_Lucia America/St_Thomas America/St_Vincent America/Tortola America/Virgin
AWST+8 AWDT+9: Australia/Perth Australia/West
BST-11 BDT-10 AKST-9 AKDT-8: America/Nome
BST-11 HST-10 HDT-9: America/Adak America/Atka US/Aleutian
CAT+2 EAT+3: Africa/Juba Africa/Khartoum
CAT+2: Africa/Blantyre Africa/Bujumbura Africa/Gaborone Africa/Harare Africa/Kigali Africa/Lubumbashi Africa/Lusaka Africa/Maputo
CET+1 CEST+2: Africa/Tunis Arctic/Longyearbyen Atlantic/Jan_Mayen CET Europe/Amsterdam Europe/Andorra Europe/Belgrade Europe/Berlin Europe/Bratislava Europe/Brussels Europe/Budapest Europe/Busingen Europe/Copenhagen Europe/Gibraltar Europe/Ljubljana Europe/Luxembourg Europe/Madrid Europe/Malta Europe/Monaco Europe/Oslo Europe/Paris Europe/Podgorica Europe/Prague Europe/Rome Europe/San_Marino Europe/Sarajevo Europe/Skopje Europe/Stockholm Europe/Tirane Europe/Vaduz Europe/Vatican Europe/Vienna Europe/Warsaw Europe/Zagreb Europe/Zurich Poland
CET+1 EET+2 EEST+3 MSD+4: Europe/Vilnius
CET+1 EET+2: Africa/Tripoli Libya
CST+8 CDT+9: Asia/Chongqing Asia/Chungking Asia/Harbin Asia/Macao Asia/Macau Asia/Shanghai Asia/Taipei PRC ROC
CST-5 CDT-4: America/Havana Cuba
CST-6 CDT-5 EDT-4: America/Indiana/Tell_City
CST-6 CDT-5: America/Belize America/Chicago America/Costa_Rica America/El_Salvador America/Guatemala America/Indiana/Knox America/Knox_IN America/Managua America/Matamoros America/Menominee America/Merida America/Mexico_City America/Monterrey America/Rainy_River America/Rankin_Inlet America/Resolute America/Tegucigalpa America/Winnipeg CST6CDT Canada/Central Mexico/General US/Central US/Indiana-Starke
CST-6 EST-5 EDT-4: America/Cancun America/Indiana/Petersburg America/Indiana/Vincennes America/Indiana/Winamac America/Iqaluit America/Kentucky/Monticello America/Pangnirtung
CST-6: America/Regina Canada/Saskatchewan
ChST+10 GDT+11: Pacific/Guam Pacific/Saipan
EAT+3: Africa/Addis_Ababa Africa/Asmara Africa/Asmera Africa/Dar_es_Salaam Africa/Djibouti Africa/Kampala Africa/Mogadishu Africa/Nairobi Indian/Antananarivo Indian/Comoro Indian/Mayotte
EET+2 EEST+3 MSD+4: Europe/Chisinau Europe/Kiev Europe/Kyiv Europe/Riga Europe/Tallinn Europe/Tiraspol Europe/Uzhgorod Europe/Zaporozhye
EET+2 EEST+3: Africa/Cairo Asia/Beirut Asia/Famagusta Asia/Gaza Asia/Hebron Asia/Nicosia EET Egypt Europe/Athens Europe/Bucharest Europe/Helsinki Europe/Mariehamn Europe/Nicosia Europe/Sofia
EET+2 MSD+4: Europe/Kaliningrad Europe/Minsk
EET+2 MSK+3 MSK+4: Europe/Moscow Europe/Simferopol W-SU
EET+2: Asia/Amman Asia/Damascus Asia/Istanbul Europe/Istanbul Turkey
EST-5 AST-4: America/Santo_Domingo
EST-5 EDT-4: America/Detroit America/Fort_Wayne America/Grand_Turk America/Indiana/Indianapolis America/Indiana/Marengo America/Indiana/Vevay America/Indianapolis America/Jamaica America/Kentucky/Louisville America/Louisville America/Montreal America/Nassau America/New_York America/Nipigon America/Port-au-Prince America/Thunder_Bay America/Toronto Canada/Eastern EST5EDT Jamaica US/East-Indiana US/Eastern US/Michigan
EST-5: America/Atikokan America/Cayman America/Coral_Harbour America/Panama EST
GMT+0 BST+1: Europe/Belfast Europe/Guernsey Europe/Isle_of_Man Europe/Jersey Europe/London GB GB-Eire
GMT+0 IST+1: Eire Europe/Dublin
GMT+0 WAT+1: Africa/Sao_Tome
GMT+0: Africa/Abidjan Africa/Accra Africa/Bamako Africa/Banjul Africa/Bissau Africa/Conakry Africa/Dakar Africa/Freetown Africa/Lome Africa/Nouakchott Africa/Ouagadougou Africa/Timbuktu America/Danmarkshavn Atlantic/Reykjavik Atlantic/St_Helena Etc/GMT Etc/GMT+0 Etc/GMT-0 Etc/GMT0 Etc/Greenwich GMT+0 GMT-0 GMT0 Greenwich Iceland
HKT+8 HKST+9: Asia/Hong_Kong Hongkong
HST-10: HST Pacific/Honolulu Pacific/Johnston US/Hawaii
IST+2 IDT+3: Asia/Jerusalem Asia/Tel_Aviv Israel
IST+5.5: Asia/Calcutta Asia/Kolkata
JST+9: Asia/Tokyo Japan
KST+8.5 KST+9: Asia/Pyongyang
KST+9 KDT+10: Asia/Seoul ROK
MET+1 MEST+2: MET
MMT-0.7416666666666667 GMT+0: Africa/Monrovia
MSK+3 MSK+4: Europe/Kirov
MSK+3: Europe/Volgograd
MST-7 CST-6 CDT-5: America/Bahia_Banderas America/Chihuahua America/North_Dakota/Beulah America/North_Dakota/Center America/North_Dakota/New_Salem America/Ojinaga
MST-7 CST-6: America/Swift_Current
MST-7 MDT-6 CDT-5: America/Ciudad_Juarez
MST-7 MDT-6 EST-5: America/Cambridge_Bay
MST-7 MDT-6: America/Boise America/Denver America/Edmonton America/Hermosillo America/Mazatlan America/Shiprock America/Yellowknife Canada/Mountain MST7MDT Mexico/BajaSur Navajo US/Mountain
MST-7: America/Creston America/Phoenix MST US/Arizona
NST-3.5 NDT-2.5 NDDT-1.5: America/St_Johns Canada/Newfoundland
NZST+12 NZDT+13: Antarctica/McMurdo Antarctica/South_Pole NZ Pacific/Auckland
PKT+5 PKST+6: Asia/Karachi
PST+8 PDT+9: Asia/Manila
PST-8 MST-7 MDT-6: America/Inuvik
PST-8 MST-7: America/Dawson_Creek America/Fort_Nelson America/Whitehorse Canada/Yukon
PST-8 PDT-7: America/Ensenada America/Los_Angeles America/Santa_Isabel America/Tijuana America/Vancouver Canada/Pacific Mexico/BajaNorte PST8PDT US/Pacific
SAST+2: Africa/Johannesburg Africa/Maseru Africa/Mbabane
SST-11: Pacific/Midway Pacific/Pago_Pago Pacific/Samoa US/Samoa
UTC+0: Etc/UCT Etc/UTC Etc/Universal Etc/Zulu UCT Universal Zulu
WAT+1 CAT+2: Africa/Windhoek
WAT+1 WAST+2: Africa/Ndjamena
WAT+1: Africa/Bangui Africa/Brazzaville Africa/Douala Africa/Kinshasa Africa/Lagos Africa/Libreville Africa/Luanda Africa/Malabo Africa/Niamey Africa/Porto-Novo
WEST+1: Atlantic/Azores
WET+0 CET+1 CEST+2: Africa/Algiers Africa/Ceuta
WET+0 WEST+1 CEST+2: Europe/Lisbon Portugal
WET+0 WEST+1: Atlantic/Canary Atlantic/Faeroe Atlantic/Faroe Atlantic/Madeira WET
WIB+7 WITA+8: Asia/Pontianak
WIB+7: Asia/Jakarta
WIT+9: Asia/Jayapura
WITA+8: Asia/Makassar Asia/Ujung_Pandang
YST-9 PST-8 MST-7: America/Dawson
`;

/** Abbreviations of a zone by hours east of UTC. */
export type ZoneNames = ReadonlyMap<number, string>;

let zones: ReadonlyMap<string, ZoneNames> | undefined;

/** Abbreviations of a zone by its exact name; `undefined` for one that is not there. */
export function zoneNames(zone: string): ZoneNames | undefined {
  zones ??= readTable();
  return zones.get(zone);
}

function readTable(): ReadonlyMap<string, ZoneNames> {
  const read = new Map<string, ZoneNames>();
  for (const line of table.trim().split("\n")) {
    const [set, zonesOfSet] = line.split(": ") as [string, string];
    const names = new Map(
      [...set.matchAll(/([A-Z]+)([-+][0-9.]+)/gi)].map(([, name, hours]) => [Number(hours), name as string] as const),
    );
    for (const zone of zonesOfSet.split(" ")) read.set(zone, names);
  }
  return read;
}
