"""Words for income, assets and money, and the general words of counting and asking. See `catalog.similarity.lexicon`."""

MONEY = """
集体 : 村集体 村级集体 集体经济 村集体经济 村级集体经济 集体经济组织 | collective
收入 #金额 : 总收入 收入总额 全年收入 年收入 进账 | income, revenue, earnings
纯收入 <收入 #金额 : 可支配收入 净收入 | net income, disposable income
支出 #金额 : 总支出 开支 费用 花费 | expenditure, expense, spending, cost
收益 #金额 : 盈余 利润 本年收益 | profit, gain, surplus
收益分配 <收益 : 分红 股金分红 | dividend, distribution
资产 #金额 : 资产总额 总资产 资产总计 折资 资产总值 | asset
固定资产 <资产 #金额 : 固定资产总值 固定资产原值 固定资产原价 | fixed asset
净值 : | net value
负债 #金额 : 债务 债务总额 欠债 欠款 总负债 负债总额 借款 | debt, liability
债权 #金额 : 应收款 | receivable
产值 #金额 : 总产值 | output value
生产总值 #金额 : 国内生产总值 地区生产总值 | gross product, gross domestic product, gdp
经费 #金额 : 资金 专项资金 专项经费 款项 拨款 资金量 | fund, funding, money, budget
投资 #金额 : 投入 投入资金 出资 | investment, invested
贷款 #金额 : 信贷 小额信贷 小额贷款 | loan, credit
捐赠 #金额 : 捐款 善款 慈善 募捐 | donation, charity
租金 #金额 : 出租 租赁 | rent
税 #金额 : 税收 税费 | tax
人均 : 平均每人 | per capita, per person
户均 : 平均每户 | per household
损失 #金额 : 经济损失 直接经济损失 | loss
经营 : 营业 | operating, business operation
物业 : 物业服务 物业管理 | property management
公益 : 一事一议 公益事业 | public good
项目 : 工程 | project
"""

GENERAL = """
~总 : 总数 总计 合计 共计 汇总 总额 总量 小计 总人口 总和 总共 共有 共 全村 全镇 全乡 全县 | total, overall, sum, whole
~率 #比率 : 比例 占比 比重 百分比 普及率 覆盖率 参与率 所占比例 | rate, ratio, percentage, percent, share, proportion
~次数 #次 : 场次 次 人次 | times, frequency
~是否 #是否 : 有无 是不是 能否 有没有 是否有 | whether, has
~完成 : 已 已完成 建成 已建成 达到 实现 | completed, finished, done
~享受 : 领取 获得 接受 取得 | receiving, enjoying, received, recipient, beneficiary
~主要 : 重点 | main, major
-情况 : 状况 现状 | status, situation, condition
-数量 : 数目 个数 条数 座数 处数 所数 间数 盏数 台数 辆数 件数 份数 只数 头数 名数 | piece
~拥有 : 有 具有 具备 建有 设有 配备 | owning, own
~组织 : 机构 团体 | organisation, organization, institution
~发放 : 拨付 支付 | paid, issued
上年 @year : 上年度 去年 上一年 | last year, previous year
期初 @year : 年初数 | beginning of year, opening
未 @polarity : 没有 未能 不能 尚未 未实现 未通 未达到 无法 无 不 | not, without, lacking
非 @polarity : | non
部分 : | partial, partly
上级 @tier : 上级部门 | higher level, superior
本级 @tier : | own level
需 : 需要 需求 急需 | need, needed, required
计划 : 规划 列入计划 | planned, plan
管理 : | management, managed
活动 : | activity
会议 : 开会 召开会议 大会 | meeting
成员 : 会员 | member
帮扶 : 扶持 结对 结对帮扶 | supported, paired
公共
所有
有效
有限
不动产
无线
数字
数据
社会
自然
人才
人民
法律 : 普法 法律援助 法制 | legal, law
"""
