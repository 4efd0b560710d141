"""Words for land, farming, housing, roads, water, energy, buildings and disaster. See `catalog.similarity.lexicon`."""

PLACES = """
~村 : 行政村 建制村 本村 村级 村域 村内 村庄 村里 村中 社区 本社区 | village, community
~镇域 : 本镇 本乡 镇级
村委会 <村 : 村民委员会 行政村数 建制村数 行政村个数 建制村个数 村个数 汇总村数 | village committee, villager committee
居委会 : 居民委员会 社区居委会 社区居民委员会 | residents committee, neighbourhood committee, neighborhood committee
自然村 : 自然屯 自然湾 村落 | natural village, hamlet
乡镇 : 乡级 乡镇级 | township
镇 : 建制镇 | town
乡 : 民族乡
街道 : 街道办事处 街道办 | subdistrict, street office
区划 : 行政区划 | division, administrative division
面积 #面积 : 亩 亩数 总面积 用地面积 占地面积 | area, acreage, surface
土地 : 农用地 用地 | land
耕地 : 耕地面积 基本农田 农田 | cultivated land, arable, cropland, farmland
水田 <耕地 : | paddy
旱地 <耕地 : | dry land
灌溉 : 有效灌溉 灌溉面积 有效灌溉面积 | irrigated, irrigation
林地 : 林业用地 森林 山林 林地面积 | forest, woodland
园地 : 果园 茶园 林果 | orchard
草地 : 牧草地 草场 草原 | grassland, pasture
水面 : 水域 养殖水面 鱼塘 水产养殖 | water surface, pond, water area
荒地 @waste : 荒山 四荒 | wasteland, barren
撂荒 @waste : 撂荒地 抛荒 抛荒地 弃耕 | abandoned land
流转 : 土地流转 耕地流转 流转土地 | transfer, land transfer
承包 : 家庭承包 承包地 承包经营 土地承包 发包 | contracted, contract
征地 : 征占 征收 被征地 土地征收 征用 | expropriated, expropriation, requisition, land acquisition
补偿费 : 补偿 补偿款 安置费 | compensation
宅基地 : 农村宅基地 | homestead
建设用地 : 集体建设用地 | construction land
退耕还林 : | grain for green
播种 : 种植 播种面积 种植面积 栽种 | sown, planted, planting
粮食 : 粮食作物 谷物 | grain, cereal
蔬菜 : | vegetable
水果 : 果品 | fruit
油料 : | oil crop, oilseed
产量 : 总产 总产量 | output, production, yield
畜牧 : 养殖 牲畜 家畜 存栏 出栏 畜禽 | livestock, breeding
大牲畜 <畜牧 : | large livestock, draught animal
生猪 <畜牧 : 猪 | pig, hog
家禽 <畜牧 : 禽类 | poultry
渔业 : 水产 水产品 | fishery, aquatic
合作社 : 专业合作社 农民专业合作社 专业合作组织 农民合作社 农民专业合作组织 合作组织 农民专业合作经济组织 | cooperative
家庭农场 : 种养大户 专业大户 种粮大户 | family farm
龙头企业 : 农业企业 | leading enterprise
企业 : 公司 乡镇企业 工业企业 工厂 | enterprise, company, firm, business
个体工商户 : 个体户 个体经营 | self employed, individual business
农机 : 农业机械 机械总动力 拖拉机 收割机 | machinery, tractor
化肥 : 化肥施用 | fertiliser, fertilizer
农药 : | pesticide
房屋 : 住房 住宅 房子 民居 居民住房 | house, housing, dwelling, home
危房 : 危旧房 危险房屋 危房户 危房改造 危旧房改造 居住危房 泥砖房 茅草房 破旧房 | dilapidated, unsafe house, unsafe housing, dangerous house
改造 : 整治 改建 治理 | renovation, renovated, upgrading
无房 : 无住房 住房困难 | homeless, no house
搬迁 : 移民搬迁 易地搬迁 易地扶贫搬迁 移民 生态移民 | relocation, relocated, resettlement
新建 @flow : 新建成 | newly built
新增 @flow : 新增加 当期新增 本期新增 增加 | new, newly, added, increase
累计 @flow : 历年累计 | cumulative, accumulated
减少 @flow : 降低 | decrease, reduced
倒塌 : 倒房 倒损 | collapsed
损坏 : 损毁 受损 | damaged
道路 : 公路 村道 村路 路面 通村公路 通村路 马路 | road, highway
硬化 : 水泥 沥青 硬底化 硬化路 水泥路 柏油路 沥青路 油路 水泥硬化 硬化道路 硬化路面 沥青水泥路 通水泥路 | paved, hardened, asphalt, concrete road
里程 #长度 : 公里 公里数 长度 总长度 总里程 | length, mileage, kilometre, kilometer, km
路灯 : 亮化 亮灯 照明 路灯盏数 太阳能路灯 | street lamp, street light, streetlight, lamp, lighting
桥 : 桥梁 | bridge
客运班车 : 客车 班车 公交 公交车 公共汽车 公共交通 客运 | bus, coach
车站 : 火车站 候车亭 码头 | station
通 : 通达 接通 开通 连通 | connected, access
饮水 : 饮用水 生活饮用水 饮水安全 安全饮水 安全饮用水 人畜饮水 洁净水 | drinking water
自来水 <饮水 : 集中供水 供水 管道水 集中式供水 改水 | tap water, piped water, water supply
水利 : 水利设施 农田水利 水库 塘坝 | water conservancy, reservoir
水渠 : 沟渠 渠道 灌渠 排灌渠 三面光 | canal, ditch
水井 : 机井 机电井 | well
用电 : 通电 生活用电 电力 供电 电网 用电量 | electricity, electric, power
沼气 : 沼气池 户用沼气 | biogas
燃气 : 天然气 煤气 液化气 管道燃气 | gas, natural gas
清洁能源 : 太阳能 | clean energy, solar
宽带 : 互联网 上网 网络 宽带网络 因特网 宽带互联网 光纤 | broadband, internet, online
有线电视 : 电视 数字电视 广播电视 通电视 | television, tv, cable tv
固定电话 : 通电话 | landline
广播 : 有线广播 农村广播 大喇叭 广播站 | radio, loudspeaker, broadcast
信息化 : 信息员 信息服务 | information, informatization
电商 : 电子商务 网店 电商服务站 电子商务服务站点 | e commerce, ecommerce, online shop
快递 : 邮政 物流 邮政所 快递服务 | express, postal, courier
厕所 : 公厕 卫生间 公共厕所 公共卫生间 公共卫生厕所 洗手间 无害化卫生厕所 | toilet, latrine, lavatory
户厕 <厕所 : | household toilet
卫生厕所 <厕所 : 改厕 厕改 厕所改造 改造厕所 旱厕改造 厕所革命 无害化厕所 卫生户厕 | sanitary toilet
垃圾 : 生活垃圾 垃圾收集 垃圾处理 垃圾集中处理 垃圾池 垃圾箱 垃圾桶 垃圾屋 垃圾收集点 垃圾清运 | rubbish, garbage, waste, refuse
保洁 : 保洁员 清洁工 环卫 环卫工人 清扫 | cleaner, sanitation worker, cleaning
污水 : 生活污水 污水处理 污水治理 污水处理设施 排污 污水管网 | sewage, wastewater
处理 : 集中处理 | treatment, treated, disposal
绿化 : 植树 造林 | greening, planting trees
秸秆 : | straw
设施 : 装置 设备 | facility, equipment
场地 : 场所 广场 | venue, ground, square
文体 : 健身 体育 文化体育 体育健身 健身器材 运动 文化体育场所 球场 篮球场 文化广场 健身广场 文化活动广场 活动场地 休闲广场 | sports, fitness, exercise, recreation
室外 : 户外 露天 | outdoor
室内 : | indoor
图书室 : 图书馆 农家书屋 书屋 阅览室 图书阅览室 文化图书室 | library, reading room
文化室 : 文化活动室 文娱活动室 文化站 文化活动中心 文化活动场所 活动室 文化中心 文化大院 文化礼堂 农家大院 | culture room, activity room, culture centre, culture center, cultural centre, cultural center
服务中心 : 公共服务中心 服务大厅 党群服务中心 便民服务中心 社区服务中心 社区服务站 便民服务站 服务站 综合服务中心 办事大厅 服务点 | service centre, service center, service hall, service station
办公 : 办公用房 工作用房 办公场所 办公室 办公楼 办公服务用房 村部 活动场所 | office
卫生室 : 卫生站 医疗点 村卫生所 村卫生室 医务室 诊所 医疗站 卫生服务站 医疗室 卫生计生服务室 | clinic, health room, health station
医院 : 卫生院 医疗机构 医疗卫生机构 | hospital
医生 : 村医 医师 乡村医生 卫生员 执业医师 执业助理医师 助理医师 医务人员 卫生技术人员 | doctor, physician, medic
床位 : 病床 | bed
学校 : 小学 中学 教学点 中小学 | school
幼儿园 : 托儿所 学前班 托幼 | kindergarten, nursery, preschool
教师 : 老师 专任教师 | teacher
养老机构 : 敬老院 养老院 福利院 幸福院 互助养老 日间照料 日间照料中心 养老服务 养老设施 | nursing home, care home
商店 : 超市 小卖部 便利店 商业网点 农贸市场 市场 小商店 | shop, store, market, supermarket
农家乐 : 民宿 农家旅馆 | farm stay, guesthouse, homestay
旅游 : 乡村旅游 观光 | tourism
文物 : 古建 古建筑 古民宅 古民居 传统建筑 历史建筑 | heritage, ancient building, historic
灾害 : 受灾 因灾 自然灾害 灾情 洪涝 | disaster, calamity
避灾 : 避难 应急避难 避险 避灾点 应急避难场所 避灾场所 | shelter, refuge
转移安置 : 紧急转移 转移 安置 | evacuated, evacuation
伤病 : 受伤 伤亡 因伤 | injured, injury
隐患 : 隐患点 地质灾害隐患 | hazard
消防 : 火灾 | fire
应急 : 突发事件 | emergency
治安 : 刑事 案件 刑事案件 治安案件 发案 | crime, public security, criminal
监控 : 摄像头 视频监控 天网 雪亮工程 | camera, surveillance
疾病 : 患者 病人 慢性病 大病 患病 | disease, patient, illness
高血压 <疾病 : | hypertension
糖尿病 <疾病 : | diabetes
结核病 <疾病 : 肺结核 | tuberculosis
健康档案 : 健康登记 健康管理 | health record
体检 : 健康体检 | check up, physical examination
接种 : 预防接种 免疫 疫苗 | vaccination, vaccinated, immunisation, immunization
家庭医生 : 签约服务 | family doctor
"""
