"""Words for people, households, work and welfare. How a line is read: `catalog.similarity.lexicon`."""

PEOPLE = """
~人 #人 : 人口 人数 人员 人口数 人员数 居民 村民 群众 社员 | people, person, population, resident, inhabitant, villager, headcount
~户 #户 : 户数 家庭 家庭户 住户 农户 户口数 户家庭 | household, family
~对象 : 者
常住 @residence : 常驻 | usual, permanent, permanently, usually, living, resident population, usual resident, permanent resident, long term resident
户籍 @residence : 户口 在册 | registered, hukou, registration
流动 @residence : 外来 流入 暂住 人在户不在 | floating, migrant, inflow
外籍 : 外国籍 外国 | foreign, foreigner
男 @sex : 男性 男子 | male, man, men
女 @sex : 女性 妇女 女子 妇女人口 | female, woman, women
育龄妇女 @sex <女 : 育龄妇女人数 | childbearing, woman of childbearing age, women of childbearing age
老年 : 老人 老年人 老龄 长者 高龄 | elderly, older, senior, old age, old people
儿童 : 少儿 幼儿 孩子 | child, kid
未成年 <儿童 : 未成年人 青少年 | minor, juvenile, youth, adolescent
婴幼儿 <儿童 : 婴儿 | infant, baby, toddler
少数民族 : | ethnic minority, minority, ethnic group
民族 : | ethnicity, nationality
性别 : | sex, gender
姓名 : 名字 | name
身份证 : 身份证号 身份证号码 公民身份号码 证件号码 | identity number, id number, id card, resident identity
电话 : 联系电话 手机号 手机号码 联系方式 | phone, telephone, mobile
婚姻 : 婚姻状况 | marital, marriage status
已婚 @marriage : | married
未婚 @marriage : 单身 | unmarried, single
结婚 @marriage : 初婚 新婚 | wedding, newly married
离婚 @marriage : 离异 | divorced, divorce
丧偶 @marriage : | widowed
出生 @vital : 新生 新生儿 生育 | birth, born, newborn
死亡 @vital : 去世 亡故 | death, died, deceased
迁入 @move : 迁进 | moved in, in migration, immigrated
迁出 @move : 迁走 | moved out, out migration, emigrated
文化程度 : 受教育程度 学历 | education level, educational attainment, schooling
政治面貌 : | political status
农业 : 涉农 务农 | agricultural, agriculture, farming, farm
非农业 : 非农 | non agricultural, nonagricultural, non farm
城镇 @urban : 城市 市镇 | urban, city
农村 @urban : 乡村 村镇 | rural, countryside
劳动力 : 劳力 劳动年龄 劳动能力 有劳动能力 | labour, labor, labour force, labor force, workforce, working age
从业 : 就业 在业 从业者 | employed, employment, employee, working
失业 : 未就业 待业 无业 | unemployed, unemployment, jobless
外出 @residence : 外流 在外 出外 户在人不在 | away, left
外出务工 <外出 : 外出打工 外出就业 务工 打工 转移就业 转移务工 劳务输出 劳动力转移 外出从业 外出劳动力 务工人员 农民工 | migrant worker, migrant labour, working away, works away, outworking
返乡 : 回乡 返乡创业 | returned, returning, returnee
创业 : 自主创业 | startup, entrepreneurship
常年 : 长年 全年在外 | year round, all year, long term
培训 : 技能培训 讲座 农技培训 | training, trained, lecture
大学生 : 高校毕业生 大中专毕业生 | graduate, college student, university student
学生 : 在校生 在校学生 | student, pupil
入学 : 就学 上学 | enrolment, enrollment, school entry
适龄 : 学龄 | school age, of age
义务教育 : 九年义务教育 九年制义务教育 普九 | compulsory education
辍学 : 失学 | dropout
低保 : 最低生活保障 最低生活保障金 低保家庭 低保对象 低保户 低保金 享受低保 | dibao, minimum living allowance, minimum living security, subsistence allowance
特困 : 五保 五保户 五保供养 五保对象 五保老人 特困人员 特困供养 特困户 特困人员救助供养 三无人员 三无 | wubao, extreme poverty, destitute, extremely poor, five guarantees
贫困 @poverty : 贫困户 贫困人口 贫困家庭 建档立卡 建档立卡户 建档立卡贫困户 困难户 困难家庭 困难群众 帮扶对象 扶贫对象 | poor, poverty, impoverished, needy
脱贫 @poverty : 脱贫户 已脱贫 脱贫人口 | out of poverty, lifted out, escaped poverty
监测对象 @poverty : 监测户 防返贫监测 防止返贫监测 易返贫 返贫 | monitored, at risk of poverty
低收入 @poverty : 低收入户 低收入家庭 低收入人口 边缘户 边缘易致贫 | low income
救助 : 救济 社会救助 援助 | assistance, relief, aid
临时救助 <救助 : | temporary assistance, temporary relief
医疗救助 <救助 : | medical assistance
优抚 : 优抚对象 抚恤 | entitled group, special care
退役军人 : 复员军人 退伍军人 转业军人 复退军人 退伍 退役 军转干部 | veteran, ex serviceman, demobilised, demobilized
军属 : 军烈属 烈属 烈军属 军人家庭 | military family, martyr
参军 : 入伍 服兵役 现役 现役军人 | enlisted, active service, soldier, military service
离退休 : 退休 离休 | retired, pensioner, retiree
残疾人 : 残疾 伤残 残障 残疾人口 | disabled, disability, handicapped
重度 @severity : 重症 一二级 | severe, severely
护理补贴 : 护理费 | nursing subsidy, care allowance
补贴 : 补助 津贴 补助金 补贴金 补助费 | subsidy, allowance, grant
留守 : | left behind
留守儿童 <留守 : 农村留守儿童 | left behind child
留守老人 <留守 : 留守老年人 | left behind elderly
留守妇女 <留守 : | left behind woman, left behind women
空巢 : 空巢老人 独居 独居老人 独守老人 | empty nest, living alone
孤儿 : 孤残儿童 | orphan
无人抚养儿童 : 事实无人抚养 困境儿童 | unattended child, child in difficulty
失能 : 不能自理 半失能 生活不能自理 | incapacitated, unable to care
精神障碍 : 精神病 精神病人 精神疾病 肇事肇祸精神病 易肇事肇祸 | mental disorder, mental illness, psychosis
刑满释放 : 刑释 刑释解教 刑释解教人员 安置帮教 刑满释放人员 两劳释放 刑释人员 | released prisoner, ex prisoner, released from prison
社区矫正 : 矫正对象 矫正人员 社区矫正人员 社区服刑 社区服刑人员 | community correction, probation
吸毒 : 吸毒人员 涉毒 戒毒 | drug user, drug addict
信访 : 上访 来访 | petition
纠纷 : 矛盾纠纷 民间纠纷 调解 人民调解 | dispute, mediation
党员 : 中共党员 共产党员 | party member
预备党员 <党员 : | probationary party member
流动党员 <党员 : 外出党员 | floating party member
党组织 : 党支部 支部 基层党组织 党总支 | party branch, party organisation, party organization
党小组 <党组织 : | party group
村干部 : 干部 两委 村两委 两委成员 两委干部 班子成员 | village cadre, cadre, village official
书记 : 村支书 党支部书记 第一书记 | party secretary, secretary
村委会成员 <村干部 : 居委会成员 村委委员 | committee member
村民代表 : 居民代表 | village representative
村民小组 : 村组 居民小组 村小组 | villager group, village group
团员 : 共青团员 | league member
志愿者 : 义工 志愿服务 志愿服务者 志愿者队伍 | volunteer
社工 : 社会工作者 社区工作者 专职工作者 网格员 | social worker, community worker, grid worker
医保 : 医疗保险 新农合 合作医疗 新型农村合作医疗 城乡居民医保 基本医疗保险 居民医疗保险 农合 | medical insurance, health insurance, cooperative medical
养老保险 : 养老 新农保 城乡居民养老保险 基本养老保险 社会养老保险 新型农村社会养老保险 | pension, old age insurance, endowment insurance
参保 : 参合 参加保险 投保 | insured, covered by insurance, participating
社会保险 : 社保 | social insurance, social security
计划生育 : 计生 人口计生 | family planning
独生子女 : 独生 一孩户 | only child
二女户 : 双女户 | two daughter
孕妇 : 孕产妇 怀孕 | pregnant, maternal
避孕 : 节育 上环 结扎 | contraception, contraceptive
"""
